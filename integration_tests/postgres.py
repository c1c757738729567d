"""A Postgres server of a test's own, from the machine's packages."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

USER = "tester"
PASSWORD = "n@t:re/al%41"
"""With what means something in a URL."""


def programs() -> Path | None:
    """The folder of the server's programs, of the newest version; None: it is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")  # where Debian has them
    newest = max(versions, key=lambda file: float(file.parts[-3]), default=None)
    return None if newest is None else newest.parent


@contextmanager
def postgres() -> Iterator[int]:
    """Run an empty server on loopback; gives its port.

    The server refuses to run as root; then the user that its package made runs it.
    """
    found = programs()
    assert found is not None
    as_user: Sequence[str] = ()
    with tempfile.TemporaryDirectory(prefix="calls-postgres-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            as_user = ("runuser", "-u", "postgres", "--")
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [*as_user, str(found / program), *arguments],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                check=True,
            )

        data, password = str(folder / "data"), folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        asks = ("-A", "scram-sha-256", "--pwfile", str(password))
        run("initdb", "-D", data, "-U", USER, *asks, "--no-sync")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run("pg_ctl", "-D", data, "-w", "-o", options, "start")
        try:
            yield port
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
