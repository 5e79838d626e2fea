"""What a wake costs, beside a floor and a peer measured in the same run. See bench/README.md."""
