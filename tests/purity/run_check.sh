#!/bin/bash
exec python3 tests/purity/check.py "$@"
