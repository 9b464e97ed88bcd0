"""A look into a SQLite file that nobody has open, without a trace beside it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def finds(path: Path, sql: str) -> bool:
    """Tell whether a query finds a row; so does whatever is there and cannot be read. It blocks.

    Args:
        path: The file; one that is absent or empty holds nothing.
        sql: The query; a table that it names and that is not there has no rows.
    """
    if not path.exists() or not path.stat().st_size:
        return False
    # Without a log, nothing is to be read beside the file, and nothing is made there.
    has_log = path.with_name(f"{path.name}-wal").exists()
    uri = f"file:{quote(str(path))}?mode=ro" + ("" if has_log else "&immutable=1")
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(sql).fetchone() is not None
    except sqlite3.Error as error:
        return "no such table" not in str(error)
