"""The scripts that guard the house find what they are there for."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parent.parent.parent / "script"


def load(name):
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(SCRIPT / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


RULES = "base:\nformats:\nmodels: formats\nserver: models  # transitive\n<boost/: server\n"


def test_layers_allow_what_the_table_says(tree):
    root = tree({"docs/LAYERS.txt": RULES, "src/server/a.cc": '#include "formats/x.h"\n#include <boost/url.hpp>\n',
                 "src/models/b.h": '#include "base/error.h"\n#include "formats/x.h"\n#include <vector>\n'})
    assert list(load("check-layers").violations(root)) == []


@pytest.mark.parametrize("path, text", [
    ("src/formats/a.cc", '#include "models/model.h"\n'),
    ("src/base/a.h", '  #  include "formats/x.h"\n'),
    ("src/models/a.cc", "#include <boost/asio.hpp>\n"),
    ("src/unknown/a.cc", ""),
])
def test_layers_refuse_every_other_edge(tree, path, text):
    assert len(list(load("check-layers").violations(tree({"docs/LAYERS.txt": RULES, path: text})))) == 1


def findings(name, text):
    return list(load("tidy").findings_in(pathlib.PurePosixPath(name), text))


def function(lines, parameters="int a"):
    return f"int f({parameters}) {{\n" + "  work();\n" * (lines - 2) + "}\n"


SEVEN = "int a, int b, std::pair<int, int> c, int d, int e, int f, int g"


@pytest.mark.parametrize("name, text, finding", [
    ("a.cc", "int x;\n" * 601, "601 lines"),
    ("a.cc", function(71), "a function of 71 lines"),
    ("a.cc", "namespace x {\n" + function(3, SEVEN) + "}\n", "7 parameters"),
    ("a.h", "int x;\n", "no #pragma once"),
    ("a.py", "x" * 121 + "\n", "121 columns"),
    ("a.md", "TO" "DO: more\n", "work left for later"),
    ("a.md", "see /ro" "ot/x for more\n", "a path or host of one machine"),
])
def test_tidy_finds(name, text, finding):
    assert finding in "\n".join(findings(name, text))


@pytest.mark.parametrize("name, text", [
    ("a.cc", function(70) + "struct S {\n" + "  int x = f(1);\n" * 80 + "};\n"),
    ("a.cc", 'const char* s = "{ // not a brace";\n' + function(70)),
    ("a.h", "#pragma once\n" + function(3, "int a, std::map<int, int> b, int c, int d, int e, int f")),
])
def test_tidy_lets_pass(name, text):
    assert findings(name, text) == []


def test_results_of_all_runners_are_counted(tree):
    gtest = '<testsuites><testsuite><testcase classname="S" name="good" status="run"/>{}</testsuite></testsuites>'
    root = tree({
        "release/test_a.xml": gtest.format('<testcase classname="S" name="bad"><failure message="x"/></testcase>'),
        "release/test_b.xml": gtest.format('<testcase classname="S" name="s"><skipped message="no file"/></testcase>'),
        "release.ctest.xml": '<testsuite><testcase name="a"><failure message=""/></testcase><testcase name="b"/>'
                             '<testcase name="crashed"><failure message="Segmentation fault"/></testcase></testsuite>',
        "clients.xml": '<testsuites><testsuite><testcase classname="t" name="ok"/></testsuite></testsuites>',
        "steps.txt": "passed layers\nfailed build\n",
    })
    done = subprocess.run([SCRIPT / "count-results", root], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "4 passed, 3 failed, 1 skipped" and done.returncode == 1
    assert "skipped: release S.s: no file" in lines
    assert "failed: release test_crashed (ended before its report)" in lines


def test_no_results_are_no_success(tmp_path):
    done = subprocess.run([SCRIPT / "count-results", tmp_path], capture_output=True, text=True)
    assert done.stdout == "0 passed, 0 failed\n" and done.returncode == 1
