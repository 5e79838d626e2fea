"""What people paste into a shell: the function `plumbline`, and commands in which every word survives. Pure.

The function needs an AWS CLI of version 1 or 2 and jq 1.6 or newer, as CloudShell has them, in bash, zsh or another
POSIX shell; for what changes something also one of sha256sum, shasum and openssl. It keeps no file and no variable. It
ends with 0 when what was asked was done, with 1 when Plumbline refused it, and with 2 when Plumbline was not reached or
failed.

What changes something is sent with a proof of who types it (see handlers/operate/proof.py): `aws eks get-token` signs
any text, needs no rights for that, and asks nobody. Where Plumbline answers with calls that only a person's own rights
may make, the function shows them, asks where somebody sits at the terminal, and makes them: never others than
`PERFORMED`, and only in answer to a command that was proven, so that whoever tampers with answers cannot run what he
likes.

Where the answer for a script is a page and names the command for the next, the function asks for that as well and
prints it behind the first. It does so only after a command that reads, and sends no proof with it: whatever stands
there can change nothing.
"""

from __future__ import annotations

import re
import shlex
import textwrap
import unicodedata

from plumbline.core.calls import Call

#: For how long the CLI waits for an answer, in seconds: ten more than operate may take (template.yaml).
READ_SECONDS = 70
#: The commands that only read: all others are sent with a proof. A test holds them against the table of commands.
READING = ("status", "findings", "show", "plan", "exemptions", "suspensions", "who", "help")
#: The calls of IAM that the function makes with a person's own rights, as the CLI names them: those that give rights,
#: which no role of Plumbline may. Who detaches a policy that denies gives as well.
PERFORMED = (
    "add-user-to-group",
    "attach-group-policy",
    "attach-role-policy",
    "attach-user-policy",
    "create-policy",
    "detach-group-policy",
    "detach-role-policy",
    "detach-user-policy",
    "put-group-policy",
    "put-role-policy",
    "put-user-policy",
    "set-default-policy-version",
    "update-assume-role-policy",
)

#: A line with a backslash at its end goes on in the next one. All of them may stand on one line as well, which is how
#: the CloudFormation console shows an output; so no line is a comment, and there is no `!`, which an interactive bash
#: reads. Both versions of the CLI take what comes by `fileb://` as it is, and only version 2 knows the option
#: `--cli-binary-format`. Nothing is tried twice: the first try may have worked. No word is split: zsh splits none.
_FUNCTION = r"""
plumbline() (
for tool in aws jq; do command -v $tool >/dev/null || {
echo "plumbline needs $tool, as AWS CloudShell has it" >&2; exit 2; }; done;
digest() { { sha256sum || shasum -a 256 || openssl dgst -sha256 -r;
} 2>/dev/null | cut -c1-64; };
nonce=; proof=; case "$* " in \
" "|{reading}| \
-*) ;; *)
nonce=$(head -c 32 /dev/urandom | digest);
sum=$(printf '%s\0' "$@" "$nonce" | digest);
proof=$(AWS_USE_FIPS_ENDPOINT=false AWS_USE_DUALSTACK_ENDPOINT=false \
AWS_STS_REGIONAL_ENDPOINTS=regional aws eks get-token --region {region} \
--cluster-name "plumbline:{account}:{region}:{function}:$sum" \
--query status.token --output text) || {
echo "plumbline: who types this could not be signed" >&2; exit 2; };; esac;
says() { printf %s "$answer" | jq "$@"; };
while :; do
asked=$(nonce=$nonce proof=$proof jq -nc '{command: $ARGS.positional} +
if env.proof == "" then {} else {nonce: env.nonce, proof: env.proof} end' \
--args -- "$@" 2>/dev/null) || {
echo "plumbline needs jq 1.6 or newer, not $(jq --version)" >&2; exit 2; };
answer=$(printf %s "$asked" | AWS_MAX_ATTEMPTS=1 aws lambda invoke \
--region {region} --function-name {function} --output json \
--cli-connect-timeout 10 --cli-read-timeout {seconds} \
--payload fileb:///dev/stdin /dev/stdout) || {
echo "plumbline: {function} in {region}" \
"was not reached, or did not answer" >&2; exit 2; };
answer=$(printf %s "$answer" | jq -s '.[0]') || exit 2;
says -r '. as $it | if ([$it.text?][0] | type) == "string" then
$it.text, if $it.ok then empty else "" | halt_error(1) end else
"plumbline failed: \([$it.errorMessage?][0] // $it)\n" |
halt_error(2) end'; code=$?; [ $code = 0 ] && [ -z "$proof" ] || break;
more=$(says -r '.next | arrays |
select(all(.[]; type == "string")) | @sh'); [ "$more" ] || break;
eval "set -- $more"; done;
steps=$(says '[.perform?[]?] | length');
[ "$steps" -gt 0 ] && [ $code -lt 2 ] || exit $code;
[ "$proof" ] && says -e '.then[0] == "done" and all(.perform[];
.service == "iam" and (.operation | IN(
{performed}
)))' >/dev/null || {
echo "plumbline: asked for calls that it never makes" >&2; exit 2; };
echo "This takes rights of your own:"; n=0; while [ $n -lt $steps ]; do
printf '  %s %s\n' "aws iam $(says -r ".perform[$n].operation")" \
"$(says -ac ".perform[$n].parameters")"; n=$((n + 1)); done;
if [ -t 0 ]; then printf 'Do it? [y/N] '; read -r yes;
case $yes in [yY]*) ;; *) echo "Nothing was done."; exit 1;; esac; fi;
n=0; failed=; export err; while [ $n -lt $steps ] && [ -z "$failed" ]; do
err=$(aws iam "$(says -r ".perform[$n].operation")" --region {region} \
--cli-input-json "$(says -c ".perform[$n].parameters")" 2>&1 >/dev/null) ||
says -e ".perform[$n].absent // [] | any(inside(env.err))" >/dev/null || {
printf '%s\n' "$err" >&2; failed=$((n + 1)); }; n=$((n + 1)); done;
eval "set -- $(says -r '.then | @sh')";
[ -z "$failed" ] || set -- "$@" --failed "$failed"; plumbline "$@"
)
"""
#: How wide a line of it is, so that an e-mail does not break it.
_WIDTH = 74


def function(account: str, region: str, name: str) -> str:
    """The shell function that makes `plumbline ...` work in CloudShell, some lines long.

    Args:
        account: whose Plumbline it talks to.
        region: where the function operate is.
        name: what operate is called.
    """
    text = _FUNCTION.strip()
    words = {
        "{account}": account,
        "{region}": region,
        "{function}": name,
        "{seconds}": str(READ_SECONDS),
        "{reading}": "| \\\n".join("|".join(f"{one}\\ *" for one in some) for some in (READING[:5], READING[5:])),
        "{performed}": textwrap.fill(", ".join(f'"{one}"' for one in PERFORMED), _WIDTH, break_on_hyphens=False),
    }
    for placeholder, value in words.items():
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
