"""The nouns, by kind: targets, calls, clocks, controls, causes, errors. Plain values; standard library only."""
