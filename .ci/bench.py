"""List the benchmarks and run the quick ones: those with a line `QUICK = True` at module level."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def quick(tree: ast.Module) -> bool:
    """Whether the script calls itself quick."""
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "QUICK" for target in node.targets)
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
        for node in tree.body
    )


def main(words: list[str]) -> int:
    """Run the benchmarks named, or all the quick ones."""
    scripts = {
        path.stem: ast.parse(path.read_bytes())
        for path in sorted((ROOT / "benchmarks").glob("*.py"))
        if not path.name.startswith("_")
    }
    unknown = [word for word in words if word not in scripts]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}. Known: {', '.join(scripts) or 'none'}.", file=sys.stderr)
        return 2
    chosen = words or [name for name, tree in scripts.items() if quick(tree)]
    for name, tree in scripts.items():
        line = (ast.get_docstring(tree) or "").split("\n")[0]
        print(f"{'*' if name in chosen else ' '} {name:24} {line}", flush=True)
    failed = 0
    for name in chosen:
        print(f"\n== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
