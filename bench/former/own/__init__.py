"""What runs beside version 0.1's code: in these processes `plumbline` and `tests` are version 0.1's."""
