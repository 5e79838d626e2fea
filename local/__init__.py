"""The embedded AWS: an emulator with the few things a self-enforcing account needs that it does not do itself.

`python -m local` starts it in the foreground; `local.embedded.EmbeddedAWS` starts it from a test or the demo.
Only `local.embedded` and `local.__main__` run in the developer's environment; everything else runs inside the server.
"""
