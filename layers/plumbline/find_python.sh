#!/bin/sh
# Prints the Python that builds the layer, as an absolute path. Where none has what the build needs (PyYAML and
# jsonschema, which check the baseline, and botocore, which is cut from), it makes an environment that has.
#
#     sh find_python.sh FOLDER_OF_THAT_ENVIRONMENT
#
# Asks each name silently and takes the first that answers well: a name on the path may be a version manager's stub that
# only prints help. Where none does, one line says what was found and what to do.
set -eu

own=$1
ready='
import sys, pip, yaml, botocore
from jsonschema import Draft202012Validator
assert sys.version_info >= (3, 10) and tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 40)
print(sys.executable)'
can_make_one='
import sys, venv, ensurepip
assert sys.version_info >= (3, 10)
print(sys.executable)'
# Runs in every Python since 2.7.
fault='
import sys
faults = []
if sys.version_info < (3, 10):
    faults.append("is too old")
else:
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            faults.append("lacks " + module)
print("%s (%d.%d, %s) %s" % (sys.argv[1], sys.version_info[0], sys.version_info[1], sys.executable,
                             " and ".join(faults) or "could not be used"))'

if test -n "${PLUMBLINE_PYTHON:-}"; then
    set -- "$PLUMBLINE_PYTHON"
else
    if "$own/bin/python" -c "$ready" 2>/dev/null; then exit; fi
    set -- python3.13 python3.12 python3.11 python3.10 python3 python
fi

for name; do
    if "$name" -c "$ready" 2>/dev/null; then exit; fi
done

found=
for name; do
    if maker=$("$name" -c "$can_make_one" 2>/dev/null); then
        rm -rf "$own"
        made=$own.$$ # two builds at once make one each
        "$maker" -m venv "$made" && "$made/bin/python" -m pip install --quiet --no-deps --require-hashes \
            -r requirements-build.txt || {
            rm -rf "$made"
            echo "What the build needs could not be installed with $maker: see above. It takes a Python that can make" \
                "environments (python -m venv), and the package index" >&2
            exit 1
        }
        test -d "$own" || mv "$made" "$own"
        (cd "$own/bin" && echo "$PWD/python")
        exit
    fi
    said=$("$name" -c "$fault" "$name" 2>/dev/null) && found="$found${found:+; }$said"
done
echo "Building takes Python 3.10 or newer with venv and ensurepip, and there is none: ${found:-no $* was found}. Install" \
    "one (macOS: brew install python@3.13; Debian, Ubuntu: apt install python3-venv), or name one:" \
    "PLUMBLINE_PYTHON=/path/to/python3 sam build" >&2
exit 1
