"""Counts the test cases of one `bazel test` run.

    test_report.py EVENTS STATUS

EVENTS is the run's --build_event_json_file, STATUS its exit status. Prints what
was skipped and why, what failed, and last a line "N passed, N failed". Exits
with 1 if anything failed, did not build, or if no test ran.

A case is a test case of a test's XML report: each TEST of GoogleTest; a shell
test is one. A shell test says that it is skipped by a line "SKIPPED: reason".
"""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree


def local_path(uri):
    return urllib.request.url2pathname(urllib.parse.urlsplit(uri).path)


class Run:
    def __init__(self):
        self.passed = 0
        self.failed = []  # what failed
        self.skipped = {}  # reason -> cases

    def skip(self, reason, case):
        self.skipped.setdefault(reason, []).append(case)

    def add_result(self, label, result):
        """Counts the cases of one test target (or of one of its shards)."""
        outputs = {
            output["name"]: local_path(output["uri"])
            for output in result.get("testActionOutput", [])
            if output.get("uri", "").startswith("file:")
        }
        failed_before = len(self.failed)
        try:
            cases = list(ElementTree.parse(outputs["test.xml"]).iter("testcase"))
        except (KeyError, OSError, ElementTree.ParseError):
            cases = []
        ok = result.get("status") in ("PASSED", "FLAKY")

        for case in cases:
            name = label
            if case.get("classname"):
                name += f" {case.get('classname')}.{case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed.append(name)
            elif case.get("status") == "notrun":
                if case.get("name", "").startswith("DISABLED_"):
                    self.skip("disabled in the source", name)
            elif skipped is not None:
                self.skip(skip_reason(skipped), name)
            elif len(cases) == 1 and ok and log_reason(outputs.get("test.log")):
                self.skip(log_reason(outputs.get("test.log")), name)
            else:
                self.passed += 1

        if not ok and len(self.failed) == failed_before:
            # It timed out, crashed at its end, or reported nothing.
            self.failed.append(f"{label} ({result.get('status', 'no status')})")
        elif ok and not cases:
            self.failed.append(f"{label} (it passed but reported no test case)")


def skip_reason(element):
    """GoogleTest's message begins with a line for the place in the source."""
    lines = (element.get("message") or element.text or "").strip().split("\n")
    if len(lines) > 1 or ".cc:" in lines[0]:
        lines = lines[1:]
    text = " ".join(line.strip() for line in lines if line.strip())
    return text or "no reason given"


def log_reason(path):
    """The reason in the first "SKIPPED:" line of a test's log, or ""."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                if line.startswith("SKIPPED:"):
                    return line[len("SKIPPED:") :].strip() or "no reason given"
    except (OSError, TypeError):
        pass
    return ""


def main():
    events_path, status = sys.argv[1], int(sys.argv[2])
    results = {}  # (label, run, shard) -> (attempt, result)
    completed = {}  # label -> built
    tests = set()
    with open(events_path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            kind, event_id = next(iter(event["id"].items()))
            label = event_id.get("label") if isinstance(event_id, dict) else None
            if kind == "targetConfigured" and "configured" in event:
                if event["configured"].get("targetKind", "").endswith("_test rule"):
                    tests.add(label)
            elif kind == "targetCompleted" and "aspect" not in event_id:
                completed[label] = event.get("completed", {}).get("success", False)
            elif kind == "testResult" and "testResult" in event:
                key = (label, event_id.get("run", 1), event_id.get("shard", 1))
                attempt = event_id.get("attempt", 1)
                if key not in results or attempt >= results[key][0]:
                    results[key] = (attempt, event["testResult"])

    run = Run()
    for (label, _, _), (_, result) in sorted(results.items(), key=lambda item: item[0]):
        run.add_result(label, result)

    ran = {label for label, _, _ in results}
    for label, built in sorted(completed.items()):
        if label in ran:
            continue
        if not built:
            run.failed.append(f"{label} (it did not build)")
        elif label in tests:
            run.failed.append(f"{label} (it did not run)")
    if status not in (0, 4) and not run.failed:
        run.failed.append(f"bazel (exit status {status}; see above)")

    if run.skipped:
        print(f"\nSkipped ({sum(len(cases) for cases in run.skipped.values())}):")
        for reason, cases in sorted(run.skipped.items()):
            print(f"  {reason}")
            for case in cases:
                print(f"    {case}")
    if run.failed:
        print(f"\nFailed ({len(run.failed)}):")
        for case in run.failed:
            print(f"  {case}")
    if not results:
        print("\nNo test ran.")
    print(f"\n{run.passed} passed, {len(run.failed)} failed")
    return 1 if run.failed or not run.passed else 0


if __name__ == "__main__":
    sys.exit(main())
