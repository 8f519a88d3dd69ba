"""The release that is being worked on, as in CHANGELOG.md."""

VERSION = "0.1.0"
