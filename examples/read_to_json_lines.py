"""Read a connector's calls into JSON lines and keep its state; run it again for what is new.

    .venv/bin/python examples/read_to_json_lines.py source-skipcall-calls my.json calls/

A call that changed comes again: of the lines with one id the last one counts.
"""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

if len(sys.argv) != 4:
    sys.exit("Name a connector's command, its configuration file and a folder for the calls.")
config, folder = sys.argv[2], Path(sys.argv[3])
command = str(Path(sys.executable).parent / sys.argv[1])
if not Path(command).is_file():
    sys.exit(f"There is no command {command}; name one such as source-skipcall-calls.")
catalog, state, calls = (folder / name for name in ("catalog.json", "state.json", "calls.jsonl"))


def read() -> int:
    """Read what is new; the exit status of the connector, which has said what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)  # until we end

    wanted = [command, "configured-catalog", "--config", config, "--streams", "calls"]
    with catalog.open("wb") as file:
        if refused := subprocess.run(wanted, stdout=file, check=False).returncode:
            return refused

    with calls.open("ab+") as file:  # of a killed run a line may be unfinished; it comes again
        end = file.tell()
        while end and file.seek(end - 1) >= 0 and file.read(1) != b"\n":
            end -= 1
        file.truncate(end)

    arguments = ["read", "--config", config, "--catalog", str(catalog)]
    arguments += ["--state", str(state)] if state.exists() else []
    with (
        calls.open("a", encoding="utf-8") as lines,
        subprocess.Popen([command, *arguments], stdout=subprocess.PIPE) as reading,
    ):
        for message in map(json.loads, reading.stdout or []):
            if message["type"] == "RECORD":
                print(json.dumps(message["record"]["data"], ensure_ascii=False), file=lines)
            elif message["type"] == "STATE":  # it says that the records before it have arrived
                lines.flush()
                new = state.with_suffix(".new")
                new.write_text(json.dumps([message["state"]]), encoding="utf-8")
                new.replace(state)
            elif message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                print(message["trace"]["error"]["message"], file=sys.stderr)
    return reading.returncode


try:
    sys.exit(read())
except BlockingIOError:
    sys.exit(f"Another run reads into {folder}. Let it end first.")
except OSError as error:
    sys.exit(f"{folder} cannot be written to: {error}.")
