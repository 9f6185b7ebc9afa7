"""Pickles that were made to run something: refused by name, and nothing has run."""

import array
import codecs
import copyreg
import pickle
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from app.unpickling import unpickled
from tests.support.pickles import Calls, called, dumped, named, short
from tests.unpickling.refusals import assert_refused

REGRESSION = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])

CODE = "open({!r}, 'w').close()"
SHELL = "touch {}"

CALLS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "os.system": ("os", "system", (SHELL,)),
    "posix.system": ("posix", "system", (SHELL,)),
    "subprocess": ("subprocess", "getoutput", (SHELL,)),
    "eval": ("builtins", "eval", (CODE,)),
    "exec": ("builtins", "exec", (CODE,)),
    "open": ("builtins", "open", ("{}", "w")),
    "python 2 names": ("__builtin__", "eval", (CODE,)),
    "getattr": ("builtins", "getattr", ("{}", "upper")),
    "import": ("builtins", "__import__", ("os",)),
    "importlib": ("importlib", "import_module", ("antigravity",)),
    "path": ("pathlib", "Path", ("{}",)),
    "runpy": ("runpy", "run_path", ("{}",)),
    "code": ("code", "interact", ()),
    "pdb": ("pdb", "run", (CODE,)),
    "timeit": ("timeit", "timeit", (CODE,)),
    "pickle.loads": ("pickle", "loads", ("{}",)),
    "shelve": ("shelve", "open", ("{}",)),
    "partial": ("functools", "partial", ("{}",)),
    "attrgetter": ("operator", "attrgetter", ("system",)),
    "methodcaller": ("operator", "methodcaller", ("system", SHELL)),
    "itemgetter": ("operator", "itemgetter", ("a",)),
    "copyreg": ("copyreg", "__newobj__", ("{}",)),
    "numpy testing": ("numpy.testing._private.utils", "runstring", (CODE, "{}")),
    "numpy f2py": ("numpy.f2py.crackfortran", "myeval", (CODE,)),
    "numpy load": ("numpy", "load", ("{}",)),
    "numpy save": ("numpy", "save", ("{}", "x")),
    "numpy fromfile": ("numpy", "fromfile", ("{}",)),
    "numpy memmap": ("numpy", "memmap", ("{}", "uint8", "w+")),
    "numpy memmap at home": ("numpy.core.memmap", "memmap", ("{}", "uint8", "w+")),
    "numpy vectorize": ("numpy", "vectorize", ("{}",)),
    "numpy frompyfunc": ("numpy", "frompyfunc", ("{}",)),
    "numpy savetxt": ("numpy", "savetxt", ("{}", "x")),
    "numpy distutils": ("numpy._core._multiarray_umath", "fromfile", ("{}",)),
    "numpy ctypes": ("numpy.ctypeslib", "load_library", ("{}", ".")),
    "numpy ufunc": ("numpy", "add", ("a", "b")),
    "joblib load": ("joblib", "load", ("{}",)),
    "joblib load at home": ("joblib.numpy_pickle", "load", ("{}",)),
    "joblib memory": ("joblib.memory", "Memory", ("{}",)),
    "joblib compat": ("joblib.numpy_pickle_compat", "load_compatibility", ("{}",)),
    "joblib delayed": ("joblib.parallel", "delayed", ("{}",)),
    "joblib cloudpickle": ("joblib.externals.cloudpickle", "loads", ("{}",)),
    "joblib old wrapper": ("joblib.numpy_pickle_compat", "NDArrayWrapper", ("{}",)),
    "joblib memmap": ("joblib.numpy_pickle", "load_temporary_memmap", ("{}", "r", "")),
    "sklearn fetch": ("sklearn.datasets", "fetch_openml", ("{}",)),
    "sklearn files": ("sklearn.datasets", "load_files", ("{}",)),
    "sklearn svmlight": ("sklearn.datasets._svmlight_format_io", "dump_svmlight_file", ("{}",)),
    "sklearn tests": ("sklearn.tests.test_base", "test_clone", ()),
    "sklearn tests in a package": ("sklearn.linear_model.tests.test_base", "test_raise", ()),
    "sklearn fixes": ("sklearn.utils.fixes", "_open_text", ("{}",)),
    "sklearn estimator called": ("sklearn.linear_model._base", "LinearRegression", ("{}",)),
    "sklearn function": ("sklearn.linear_model._base", "make_dataset", ("{}",)),
    "sklearn score called": ("sklearn.metrics._regression", "r2_score", ("a", "b")),
    "sklearn what it imports": ("sklearn.pipeline", "clone", ("{}",)),
    "sklearn class that it imports": ("sklearn.neighbors._base", "csr_matrix", ("{}",)),
    "sklearn python distance": ("sklearn.metrics._dist_metrics", "PyFuncDistance64", ("{}",)),
    "sklearn text": ("sklearn.feature_extraction.text", "CountVectorizer", ("filename",)),
    "scipy": ("scipy.io", "loadmat", ("{}",)),
    "dotted name": ("sklearn", "os.system", (SHELL,)),
    "dotted name of a class": ("sklearn.linear_model._base", "LinearRegression.fit", ("{}",)),
    "dotted name of numpy": ("numpy", "os.system", (SHELL,)),
    "dotted name with a maker": ("numpy", "dtype.__class__", ("{}",)),
    "globals": ("sklearn.linear_model._base", "__builtins__", ()),
    "loader": ("numpy", "__loader__", ()),
    "no module": ("", "eval", (CODE,)),
    "relative module": (".os", "system", (SHELL,)),
    "main": ("__main__", "payload", ()),
    "our own": ("app.files", "replace", ("{}", "x")),
}


@pytest.mark.parametrize(("module", "name", "arguments"), CALLS.values(), ids=CALLS)
def test_a_call_is_refused_before_it_runs(
    canary: str, module: str, name: str, arguments: tuple[str, ...]
) -> None:
    assert_refused(called(module, name, *(each.format(canary) for each in arguments)))


HARMLESS = {
    ("functools", "partial"),  # of scikit-learn's check of rows, and of nothing else
    ("numpy", "add"),
    ("sklearn.linear_model._base", "LinearRegression"),
    ("sklearn.metrics._regression", "r2_score"),
}
"""What estimators keep as a parameter, and at most call with numbers."""


@pytest.mark.parametrize(("module", "name", "_"), CALLS.values(), ids=CALLS)
def test_what_must_not_be_called_is_no_parameter_either_that_could_be_called_later(
    module: str, name: str, _: Any
) -> None:
    data = b"\x80\x04" + named(module, name) + b"."

    known = (module, name) in HARMLESS  # but not alone
    assert_refused(data, "keep no function" if known else re.escape(f"{module}.{name}"))


@pytest.mark.parametrize(
    "module",
    ["antigravity", "this", "sklearn.conftest", "sklearn.svm.tests.test_svm", "idlelib.run"],
)
def test_what_is_refused_is_not_even_imported(module: str) -> None:
    sys.modules.pop(module, None)

    assert_refused(b"\x80\x04" + named(module, "x") + b".", re.escape(f"{module}.x"))

    assert module not in sys.modules


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: Calls(exec, CODE.format(path)), id="exec"),
        pytest.param(
            lambda path: [REGRESSION, Calls(exec, CODE.format(path))], id="beside a model"
        ),
        pytest.param(lambda path: Calls(open, path, "w"), id="open"),
        pytest.param(lambda path: Calls(Path.touch, Path(path)), id="method"),
        pytest.param(
            lambda path: np.array([Calls(open, path, "w")], dtype=object), id="in an array"
        ),
        pytest.param(lambda path: FunctionTransformer(Calls(open, path, "w")), id="parameter"),
    ],
)
def test_a_payload_is_refused_in_every_protocol(
    canary: str, make: Callable[[str], Any], protocol: int
) -> None:
    assert_refused(pickle.dumps(make(canary), protocol))


@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "xz", "lzma"])
def test_a_payload_in_an_array_of_objects_is_refused_though_joblib_pickles_it_apart(
    canary: str, compress: Any
) -> None:
    regression = LinearRegression()
    regression.kept = np.array([1.0, Calls(exec, CODE.format(canary))], dtype=object)
    inner = np.empty(1, dtype=object)
    inner[0] = regression.kept
    regression.deeper = inner

    options = {"compress": (compress, 3)} if compress else {}

    assert_refused(dumped(regression, **options), r"builtins\.exec")


def test_the_extension_registry_is_not_looked_into(canary: str) -> None:
    copyreg.add_extension("os", "system", 240)
    try:
        for code in (b"\x82\xf0", b"\x83\xf0\x00", b"\x84\xf0\x00\x00\x00"):
            data = b"\x80\x04" + code + b"(" + short(SHELL.format(canary)) + b"tR."
            assert_refused(data, "instruction")
    finally:
        copyreg.remove_extension("os", "system", 240)


OLD = {
    "persistent id": b"Pid\n.",
    "binary persistent id": b"\x80\x04" + short("id") + b"Q.",
    "INST": b"(S'touch'\nios\nsystem\n.",
    "INST of an estimator": b"(isklearn.linear_model._base\nLinearRegression\n.",
    "OBJ": b"\x80\x04(" + named("sklearn.linear_model._base", "LinearRegression") + b"o.",
    "buffers": b"\x80\x05\x97.",
    "read-only buffer": b"\x80\x05C\x01a\x98.",
    "python 2 text": b"S'a'\n.",
    "text integer": b"I01\n.",
    "no instruction": b"\x80\x04\xff.",
    "protocol 6": b"\x80\x06N.",
    "joblib before 0.10": b"ZF0x1                 " + zlib.compress(b"N."),
    "lz4": b"\x04\x22\x4d\x18" + bytes(20),
}


@pytest.mark.parametrize("data", OLD.values(), ids=OLD)
def test_instructions_that_no_estimator_needs_are_refused(data: bytes) -> None:
    assert_refused(data)


def test_a_file_of_joblib_is_never_mapped_into_memory(canary: str, tmp_path: Path) -> None:
    Path(canary + ".npy").write_bytes(dumped(np.zeros(8)))
    loaded = unpickled(dumped(np.zeros(8)))

    assert type(loaded) is np.ndarray
    assert not isinstance(loaded.base, np.memmap)
    assert [path.name for path in tmp_path.iterdir()] == ["canary.npy"]


def test_objects_of_other_libraries_are_refused() -> None:
    for value in (array.array("d", [1.0]), codecs.encode, re.compile("a"), Exception("a"), 1j):
        assert_refused(pickle.dumps(value, 4), "fitted scikit-learn pipelines are not made of")
