"""Write the hashed requirement files from pyproject.toml. The files hold hashes and no addresses."""

import subprocess
import sys

FLAGS = [
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--no-emit-options",
    "--quiet",
]


def main() -> None:
    """Compile ``runtime.txt`` first, then ``dev.txt`` constrained by nothing but itself."""
    pip_compile = [sys.executable, "-m", "piptools", "compile", *FLAGS]
    subprocess.run([*pip_compile, "--output-file", "requirements/runtime.txt", "pyproject.toml"], check=True)
    subprocess.run(
        [*pip_compile, "--extra", "dev", "--output-file", "requirements/dev.txt", "pyproject.toml"],
        check=True,
    )


if __name__ == "__main__":
    main()
