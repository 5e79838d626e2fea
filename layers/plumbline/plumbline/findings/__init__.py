"""The life of one deviation: finding, clocks, adoption, and what holds a repair back. Pure."""
