"""Each control by itself, and the stories of how its world breaks."""
