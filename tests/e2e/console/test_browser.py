"""The console in a real browser over the real processes: the specs of console/e2e, run by Playwright.

| requirement | specs |
|---|---|
| B3, BD2 | live.spec.ts, screens.spec.ts, keyboard.ru.spec.ts |
| C3.20, C7.20, C7.24, C10.20 | stages.spec.ts |
| C11.20 | screens.spec.ts |
"""

import os
import subprocess
from pathlib import Path

import pytest
from tests.e2e.console.stack import Stack, serving
from tests.e2e.platform import running_platform
from tools import chromium, npm

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
CONSOLE = Path(__file__).parents[3] / "console"
WITHIN = 570.0


def test_people_see_what_happens_in_a_real_browser() -> None:
    if chromium.find() is None and not os.environ.get("CI"):
        pytest.skip(chromium.REMEDY)
    assert (CONSOLE / "dist" / "index.html").is_file(), "build the console first: `make console`"
    with running_platform() as platform, serving(Stack(platform)) as control:
        environ = npm.environment({**os.environ, "CONSOLE_CONTROL": control, "CONSOLE_URL": platform.gateway_url})
        done = subprocess.run(
            npm.command(["exec", "--", "playwright", "test"]),
            cwd=CONSOLE,
            env=environ,
            timeout=WITHIN,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        bugs = platform.new_bugs()
    assert done.returncode == 0, done.stdout
    assert not bugs, bugs
