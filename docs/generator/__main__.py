"""`python -m docs.generator` writes the pages."""

import sys

from docs.generator.pages import FOLDER, pages


def main() -> None:
    """Write every page whose content has changed, and name it."""
    for name, content in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
            sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
