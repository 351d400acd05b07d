"""
A version that is one migration ahead of this one: a copy of the package, with a column more.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmarks.servers import ROOT
from ctxfy.adapters.storage import migrate


_MIGRATION = '''"""
Another column, of which no older version knows.
"""

import sqlalchemy as sa
from alembic import op


revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("of_the_next_version", sa.Text, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as table:
        table.drop_column("of_the_next_version")
'''


def next_version(folder: Path) -> Mapping[str, str]:
    """
    Write it into a folder; returns the environment that makes Python run it in place of this one.

    This version may serve on its tables, as it says in them.

    Raises:
        RuntimeError: The list of revisions is not where it was.
    """
    package = folder / "ctxfy"
    shutil.copytree(ROOT / "src" / "ctxfy", package, ignore=shutil.ignore_patterns("__pycache__"))
    revision = f"{int(migrate.HEAD) + 1:04}"
    storage = package / "adapters" / "storage"
    script = storage / "migrations" / "versions" / f"v{revision}_next_version.py"
    script.write_text(_MIGRATION.format(revision=revision, before=migrate.HEAD))
    module = storage / "migrate.py"
    text, revisions = re.subn(
        r"^(REVISIONS = \(.*)\)$", rf'\1, "{revision}")', module.read_text(), flags=re.MULTILINE
    )
    text, floors = re.subn(
        r"^(FLOORS: .*)\}$", rf'\1, "{revision}": "{migrate.HEAD}"}}', text, flags=re.MULTILINE
    )
    if (revisions, floors) != (1, 1):
        message = f"{module.name} lists its revisions otherwise than it did"
        raise RuntimeError(message)
    module.write_text(text)
    return {"PYTHONPATH": str(folder)}
