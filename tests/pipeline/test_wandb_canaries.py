"""What adverts say does not reach the files of W&B."""

import json

import pytest

CANARIES = (
    "Anna-Lise Qvortrup", "Przemysław Wąsikowski", "2105850001", "070761-4285", "+45 20 30 40 51",
    "anna.qvortrup@canary.dk", "Snerlevej 17", "DK5000400440116243", "sk-live-4f9aC0ffee1234567890",
    "Tr0ub4dor-canary-3", "diabetes qx7", "kollegiet v4417",
)  # fmt: skip


@pytest.mark.slow
def test_no_file_of_a_tracked_run_holds_what_the_adverts_say(make_project, run_stages):
    config, layout = make_project("tracking=offline", "evaluation.cross_validation=false")
    path = layout.root / "data/sample/ads.jsonl"
    ads = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for ad in ads:
        ad["title"] = f"{ad['title']} {CANARIES[0]}"
        ad["text"] = f"{ad['text']}\n\n{'. '.join(CANARIES)}."
    path.write_text("".join(f"{json.dumps(ad, ensure_ascii=False)}\n" for ad in ads), encoding="utf-8")
    run_stages(config, layout)
    files = [file for file in (layout.root / "wandb").rglob("*") if file.is_file()]
    assert any(file.suffix == ".wandb" and b"macro_f1" in file.read_bytes() for file in files), "unreadable"
    held = {
        (file.name, canary)
        for file in files
        for canary in CANARIES
        for form in (canary.encode(), json.dumps(canary)[1:-1].encode())
        if form in file.read_bytes()
    }
    assert held == set()
