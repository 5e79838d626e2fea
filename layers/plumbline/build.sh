#!/bin/sh
# Puts into the layer what the functions need and no more: Plumbline, Powertools, the baseline as checked JSON, and of
# botocore's data what a cold start needs. A broken baseline.yaml stops the build here.
#
#     sh build.sh FOLDER
#
# Runs in its own folder, with any POSIX shell and any Python from 3.10 on.
# PLUMBLINE_PYTHON         the Python that builds, where find_python.sh finds none or another than you want
# PLUMBLINE_BASELINE       another file than ../../baseline.yaml, for tests
# PLUMBLINE_LAMBDA_PYTHON  another interpreter to compile for: that of the embedded AWS
set -eu

to=$1
baseline=${PLUMBLINE_BASELINE:-../../baseline.yaml}
built="../../.aws-sam/build-python"
# What turns baseline.yaml into that JSON; the functions read the result.
of_the_build="compiler profiles checks changes advice schema document grammar wishes roster"
# Powertools is large; these are the parts of it that the functions never import.
unused="event_handler utilities/parser utilities/parameters utilities/feature_flags utilities/idempotency
    utilities/validation utilities/streaming utilities/kafka utilities/data_masking"
# A person's own settings of pip must not move what is installed here.
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1

stop() {
    echo "$1" >&2
    exit 1
}

test -f "$baseline" || stop "There is no $baseline to build from; build where template.yaml is: sam build --build-in-source"

python=$(sh find_python.sh "$built")
"$python" -m plumbline.baseline.compiler --profiles ../../profiles "$baseline" "$to/baseline.json"
"$python" -m pip install --quiet --no-deps --require-hashes --no-compile \
    --platform manylinux2014_aarch64 --implementation cp --python-version 3.13 --only-binary=:all: \
    --target "$to/python" -r requirements.txt \
    || stop "The layer's packages could not be installed with $python -m pip: see above. It needs the package index."
cp -R plumbline "$to/python/plumbline"
mv "$to/baseline.json" "$to/python/plumbline/baseline/baseline.json"
for part in $of_the_build; do rm "$to/python/plumbline/baseline/$part.py"; done
# What a wake must know of every control without importing one. Made from the files that are shipped.
(cd "$to/python" && "$python" -m plumbline.controls.registry plumbline/controls/index.json)
rm "$to/python/plumbline/controls/registry.py"
"$python" sdk_extract.py "$to/python/plumbline"
rm -rf "$to/python/bin"
for part in $unused; do rm -rf "$to/python/aws_lambda_powertools/$part"; done
find "$to" -name __pycache__ -prune -exec rm -rf {} +

# /opt is read-only in Lambda, so without bytecode every cold start compiles every module again (about 100 ms). Made
# where Lambda's own python3.13 is at hand.
compile() {
    "$1" -m compileall -q --invalidation-mode unchecked-hash "$to/python"
}
if python3.13 -c '' >/dev/null 2>&1; then compile python3.13; fi
if test -n "${PLUMBLINE_LAMBDA_PYTHON:-}"; then compile "$PLUMBLINE_LAMBDA_PYTHON"; fi
