"""
`python -m ctxfy` is the `ctxfy` command.
"""

from ctxfy.app.cli import main


if __name__ == "__main__":
    main()
