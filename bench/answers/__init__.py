"""What IAM and S3 answer about an account that was drawn: from memory, in AWS's own wire formats, a page at a time.

Only reads, and only those that a side of the bench makes; another one is answered as unknown, and the bench stops over
it.
"""
