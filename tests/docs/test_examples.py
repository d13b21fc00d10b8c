"""Every example runs, from an empty folder and with a small budget."""

import re
import sys

from documents import ROOT

EXAMPLES = ROOT / "examples"


def test_a_function_with_a_constraint(place):
    """The can comes near the known answer of 264.36 cm², verified, and holds what it has to hold."""
    said = place.run([sys.executable, str(EXAMPLES / "can.py"), "600e"]).stdout
    assert "verified" in said
    assert 264.3 < float(said.split()[0]) < 275


def test_a_folder_with_an_exact_check(place):
    """The parcel comes near the known answer of 11,664 cubic inches, and the rule holds in exact arithmetic."""
    found = place.json(f"solve {EXAMPLES / 'parcel'} --budget 600e --no-baseline")
    assert found["best"]["status"] == "verified"
    assert 11_000 < found["best"]["value"] <= 11_664
    assert "constraints hold exactly" in place.colony("show --json").stdout


def test_a_program_with_a_hold_out(place):
    """Gaps that need fewer comparisons are found, and the lists that nobody saw are sorted with them once."""
    found = place.json(f"solve {EXAMPLES / 'sorting'} --budget 40x,20s --no-baseline")
    assert found["best"]["status"] == "verified"
    assert found["best"]["value"] < found["seed_value"]
    assert found["holdout"] > 0


def test_every_example_is_listed():
    """The list of examples names each of them."""
    listed = set(re.findall(r"examples/([\w.]+)", (EXAMPLES / "README.md").read_text("utf-8")))
    assert listed == {p.name for p in EXAMPLES.iterdir() if not p.name.startswith(("README", "__"))}
