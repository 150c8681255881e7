"""How the domains' arguments are read: what cannot be is one line, and exit 2."""
import argparse
import re

from .failures import BadInput


def byte_count(text: str) -> int:
    """As assay reads them: 4096, 4K, 2M, 1G by 1024, and 2GB by 1000."""
    match = re.fullmatch(r"(\d+)(?:([KMGT])(B?))?", text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; accepted: like 4096, 64M, 2G (1024) or 2GB (1000)")
    base = 1000 if match[3] else 1024
    return int(match[1]) * base ** (" KMGT".index(match[2]) if match[2] else 0)


def in_range(kind: type, least: float, most: float):
    def read(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is out of range; accepted: {least:g} to {most:g}")
        return value
    return read


class OneLineParser(argparse.ArgumentParser):
    def error(self, message: str):
        raise BadInput(message)
