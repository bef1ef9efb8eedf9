"""Nothing in the package can turn data into code. The list below is the rule."""

import ast

import pytest

from tests.house._source import at_import, modules

MODULES = {"pickle", "cPickle", "_pickle", "dill", "joblib", "cloudpickle", "marshal", "shelve", "jsonpickle"}
CALLS = {
    *("eval", "exec", "compile", "__import__"),
    *("torch.load", "torch.save", "torch.hub.load", "torch.jit.load", "torch.package.PackageImporter"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "pandas.read_pickle", "pd.read_pickle"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("input", "tempfile.mktemp"),
}
METHODS = {"extractall", "extract"}  # of any object: writes wherever an archive says; members are read, never extracted
PROCESSES = {"run", "Popen", "call", "check_call", "check_output"}


def dangers(inside: str, tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [f"imports {alias.name}" for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(f"imports {node.module}")
        elif isinstance(node, ast.ImportFrom):
            found += [
                f"imports {node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in CALLS
            ]
        elif isinstance(node, ast.Call):
            found += _call(node)
    return [f"{inside}: {what}" for what in found]


def _call(node: ast.Call) -> list[str]:
    name = ast.unparse(node.func)
    last = name.split(".")[-1]
    found = []
    if name in CALLS or (last in METHODS and "." in name):
        found.append(f"line {node.lineno} calls {name}")
    for word in node.keywords:
        true = isinstance(word.value, ast.Constant) and word.value.value is True
        if word.arg == "allow_pickle" and not (isinstance(word.value, ast.Constant) and word.value.value is False):
            found.append(f"line {node.lineno} allows pickle")
        if word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False):
            found.append(f"line {node.lineno} may use a shell")
        if word.arg == "trust_remote_code" and true:
            found.append(f"line {node.lineno} trusts remote code")
    if name in {"np.load", "numpy.load"} and "allow_pickle" not in {word.arg for word in node.keywords}:
        found.append(f"line {node.lineno}: np.load must say allow_pickle=False")
    if name.startswith("subprocess.") and last in PROCESSES and not (node.args and isinstance(node.args[0], ast.List)):
        found.append(f"line {node.lineno}: subprocess takes a list written on the spot")
    return found


def test_no_danger_in_the_package() -> None:
    assert [line for inside, _, tree in modules() for line in dangers(inside, tree)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "def f(path):\n    import joblib\n    return joblib.load(path)",
        "import dill as d",
        "import marshal",
        "x = torch.load(path, weights_only=True)",
        "from torch import load",
        "x = eval('1')",
        "exec(text)",
        "yaml.load(text)",
        "subprocess.run('ls | wc', shell=True)",
        "subprocess.run(words)",
        "subprocess.run(['ls'], shell=flag)",
        "os.system('ls')",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "archive.extractall(folder)",
        "archive.extract(member)",
    ],
)
def test_a_planted_danger_is_caught(text: str) -> None:
    assert dangers("planted.py", ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "model.eval()",
        "re.compile('x')",
        "torch.compile(network)",
        "subprocess.run(['ls', folder], check=True)",
        "np.load(path, allow_pickle=False)",
    ],
)
def test_what_only_looks_alike_is_let_through(text: str) -> None:
    assert dangers("planted.py", ast.parse(text)) == []


def test_importing_runs_nothing() -> None:
    """At module level there are definitions, constants and docstrings: no bare calls, so nothing registers itself."""
    bare = [
        f"{inside}:{node.lineno}"
        for inside, _, tree in modules()
        for node in at_import(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not inside.endswith("__main__.py")
    ]
    assert bare == []
