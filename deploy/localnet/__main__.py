"""`make run`: until everything is imported, which takes a second, Ctrl-C just ends it."""

import os
import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from localnet.command import app

    app()
