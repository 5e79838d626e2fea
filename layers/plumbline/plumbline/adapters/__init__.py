"""The only code that talks to AWS, each module named after what it speaks to."""
