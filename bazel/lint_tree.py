"""Checks what no other tool does, over all files under version control.

* A relative link in a Markdown file leads to a file under version control, and
  its #fragment to a heading of that file.
* No file names a folder of one developer's machine.
* No file names the host of a package registry: Debian's packages and the
  settings of whoever builds decide where things come from.
* Every Python file parses.

Prints "file:line: what is wrong" and exits with 1 if anything is.
"""

import ast
import os
import re
import subprocess
import sys
import urllib.parse

# Written so that this file does not name them.
REGISTRY_HOSTS = re.compile(
    r"\b(proxy\.golang|sum\.golang|pypi|files\.pythonhosted|registry\.npmjs"
    r"|repo1?\.maven(\.apache)?|rubygems|deb\.debian|security\.debian)\.org\b"
    r"|\b(index|static)\.crates\.io\b|\barchive\.ubuntu\.com\b"
    r"|\b(docker|gcr|ghcr|quay|registry\.k8s)\.io\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}~*-])/(work|root|home/\w+)/")

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s+<?(\S+?)>?\s*$")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, stdout=subprocess.PIPE)
    names = listed.stdout.decode().split("\0")
    return [name for name in names if name and os.path.isfile(name)]


def markdown_lines(text):
    """(number, line) of the lines outside of fenced code blocks."""
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and fence is None:
            fence = mark.group(1)
        elif mark and mark.group(1).startswith(fence) and line.strip() == mark.group(1):
            fence = None
        elif fence is None:
            yield number, line


def anchors(text):
    """The fragments by which the headings of a Markdown page are linked."""
    found = {}
    names = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", text))
    for _, line in markdown_lines(text):
        heading = HEADING.match(line)
        if heading:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1))
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            count = found.get(slug, 0)
            found[slug] = count + 1
            names.add(f"{slug}-{count}" if count else slug)
    return names


def check_links(name, text, files, folders, problems):
    for number, line in markdown_lines(text):
        plain = re.sub(r"`[^`]*`", "", line)
        targets = LINK.findall(plain) + REFERENCE.findall(plain)
        for target in targets:
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, fragment = urllib.parse.unquote(target).partition("#")
            place = name
            if path:
                place = os.path.normpath(os.path.join(os.path.dirname(name), path))
            if place not in files and place not in folders:
                problems.append(f"{name}:{number}: the link {target} leads nowhere")
            elif fragment and place.endswith(".md"):
                with open(place, encoding="utf-8") as page:
                    if fragment not in anchors(page.read()):
                        problems.append(f"{name}:{number}: {target}: no such heading")


def main():
    files = tracked_files()
    known = set(files)
    folders = {"."}
    for name in files:
        while "/" in name:
            name = name.rsplit("/", 1)[0]
            folders.add(name)

    problems = []
    for name in files:
        try:
            with open(name, encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            continue  # not text
        for number, line in enumerate(text.split("\n"), 1):
            if REGISTRY_HOSTS.search(line):
                problems.append(f"{name}:{number}: names the host of a registry")
            if MACHINE_PATHS.search(line):
                problems.append(f"{name}:{number}: names a folder of one machine")
        if name.endswith(".md"):
            check_links(name, text, known, folders, problems)
        if name.endswith(".py"):
            try:
                ast.parse(text, name)
            except SyntaxError as error:
                problems.append(f"{name}:{error.lineno}: {error.msg}")

    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
