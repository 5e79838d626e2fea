"""What people paste into a shell: the function `plumbline`, and commands in which every word survives. Pure.

The function needs an AWS CLI of version 1 or 2 and jq 1.6 or newer, as CloudShell has them, in bash, zsh or another
POSIX shell. It keeps no file and no variable. It ends with 0 when what was asked was done, with 1 when Plumbline
refused it, and with 2 when Plumbline was not reached or failed.
"""

from __future__ import annotations

import re
import shlex
import unicodedata

from plumbline.core.calls import Call

#: For how long the CLI waits for an answer, in seconds: ten more than operate may take (template.yaml).
READ_SECONDS = 70

#: A line with a backslash at its end goes on in the next one. All of them may stand on one line as well, which is how
#: the CloudFormation console shows an output; so no line is a comment, and there is no `!`, which an interactive bash
#: reads. Both versions of the CLI take what comes by `fileb://` as it is, and only version 2 knows the option
#: `--cli-binary-format`. Nothing is tried twice: the first try may have worked.
_FUNCTION = r"""
plumbline() (
for tool in aws jq; do command -v $tool >/dev/null || {
echo "plumbline needs $tool, as AWS CloudShell has it" >&2; exit 2; }; done;
by=$(aws sts get-caller-identity --query Arn --output text \
--region {region} --cli-connect-timeout 5 --cli-read-timeout 5 \
2>/dev/null);
asked=$(jq -nc --arg by "$by" '{command: $ARGS.positional, by: $by}' \
--args -- "$@" 2>/dev/null) || {
echo "plumbline needs jq 1.6 or newer, not $(jq --version)" >&2; exit 2; };
answer=$(printf %s "$asked" | AWS_MAX_ATTEMPTS=1 aws lambda invoke \
--region {region} --function-name {function} --output json \
--cli-connect-timeout 10 --cli-read-timeout {seconds} \
--payload fileb:///dev/stdin /dev/stdout) || {
echo "plumbline: {function} in {region}" \
"was not reached, or did not answer" >&2; exit 2; };
printf %s "$answer" | jq -rs '.[0] as $it |
if ([$it.text?][0] | type) == "string" then
$it.text, if $it.ok then empty else "" | halt_error(1) end else
"plumbline failed: \([$it.errorMessage?][0] // $it)\n" |
halt_error(2) end'
)
"""


def function(region: str, name: str) -> str:
    """The shell function that makes `plumbline ...` work in CloudShell, some lines long.

    Args:
        region: where the function operate is.
        name: what operate is called.
    """
    text = _FUNCTION.strip()
    for placeholder, value in {"{region}": region, "{function}": name, "{seconds}": str(READ_SECONDS)}.items():
        text = text.replace(placeholder, value)
    return text


def on_one_line(text: str) -> str:
    """The same function on one line, for where line breaks do not survive copying."""
    return " ".join(line.removesuffix("\\").strip() for line in text.splitlines())


def pasted(*words: str) -> str:
    """A command of Plumbline as it can be pasted into bash or zsh: each word comes back as it is.

    What no terminal shows, or what would end the line, is written as an escape.
    """
    return " ".join(("plumbline", *(_quoted(word) for word in words)))


def spelled(operation: str) -> str:
    """An operation or a parameter of IAM as the AWS CLI spells it: `AttachUserPolicy` is attach-user-policy."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", operation).lower()


def by_aws_cli(call: Call) -> str:
    """A call of IAM as it can be pasted into a shell."""
    options = [word for name, value in call.parameters.items() for word in (f"--{spelled(name)}", _quoted(str(value)))]
    return " ".join(("aws", call.service, spelled(call.operation), *options))


def _quoted(word: str) -> str:
    if all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in word):
        return shlex.quote(word)
    return "$'" + "".join(_escaped(char) for char in word) + "'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char == " " or unicodedata.category(char)[0] not in "CZ":
        return char
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogatepass"))
