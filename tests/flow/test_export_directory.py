"""The output directory is whole or absent, and nothing but an export is ever replaced."""

import json

import pytest

from sephw.errors import SephwError, UsageError
from sephw.export.directory import ExportDirectory
from sephw.export.manifest import write_manifest
from sephw.files.listing import file_hashes


def write_export(out, text="one"):
    with ExportDirectory(out) as directory:
        (directory.path / "hls").mkdir()
        (directory.path / "hls" / "top.cpp").write_text(text)
        manifest = {"format": "sephw-export", "files": file_hashes(directory.path)}
        (directory.path / "manifest.json").write_text(json.dumps(manifest))
        directory.commit()


def listing(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_commit_makes_parents_and_nothing_else(tmp_path):
    write_export(tmp_path / "build" / "model")
    assert listing(tmp_path) == [
        "build",
        "build/model",
        "build/model/hls",
        "build/model/hls/top.cpp",
        "build/model/manifest.json",
    ]
    assert (tmp_path / "build" / "model").stat().st_mode & 0o055 == 0o055


def test_former_export_is_replaced(tmp_path):
    write_export(tmp_path / "model", "one")
    write_export(tmp_path / "model", "two")
    assert (tmp_path / "model" / "hls" / "top.cpp").read_text() == "two"
    assert listing(tmp_path)[0] == "model"


def test_logs_are_the_exports_own_and_not_hashed(tmp_path):
    for text in ("took 3 s", "took 4 s"):
        with ExportDirectory(tmp_path / "model") as directory:
            log = directory.path / "synth" / "logs" / "engines" / "a.log"
            log.parent.mkdir(parents=True)
            log.write_text(text)
            (directory.path / "top.cpp").write_text("one")
            write_manifest(directory.path, {"format": "sephw-export"})
            directory.commit()
        manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
        assert manifest["files"].keys() == {"top.cpp"}
        assert manifest["logs"] == "synth/logs"
    mine = tmp_path / "model" / "synth" / "logs" / "notes.txt"
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"first 'synth/logs/notes\.txt'"):
        ExportDirectory(tmp_path / "model")


def test_empty_folder_is_used(tmp_path):
    (tmp_path / "model").mkdir()
    write_export(tmp_path / "model")
    assert (tmp_path / "model" / "manifest.json").exists()


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), ExportDirectory(tmp_path / "a" / "b") as directory:
        (directory.path / "file").write_text("half")
        raise KeyboardInterrupt
    assert listing(tmp_path) == []


def test_failure_keeps_the_former_export(tmp_path):
    write_export(tmp_path / "model")
    before = file_hashes(tmp_path)
    with pytest.raises(SephwError), ExportDirectory(tmp_path / "model"):
        raise SephwError("no")
    assert file_hashes(tmp_path) == before


@pytest.mark.parametrize("manifest", [None, "{}", "[]", "not json", '{"format": "other"}'])
def test_foreign_folder_is_refused(tmp_path, manifest):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.tex").write_text("precious")
    if manifest is not None:
        (out / "manifest.json").write_text(manifest)
    before = file_hashes(tmp_path)
    with pytest.raises(UsageError) as caught:
        ExportDirectory(out)
    assert str(caught.value) == (
        f"--out {out}: exists and is no former export (no manifest.json of sephw); "
        "choose another folder"
    )
    assert file_hashes(tmp_path) == before


def test_folder_of_folders_is_refused(tmp_path):
    (tmp_path / "mine" / "empty").mkdir(parents=True)
    with pytest.raises(UsageError, match="is no former export"):
        ExportDirectory(tmp_path / "mine")


def test_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError) as caught:
        ExportDirectory(tmp_path / "file")
    assert str(caught.value) == f"--out {tmp_path}/file: is a file; give a folder to make"


def test_users_files_in_an_export_are_kept(tmp_path):
    out = tmp_path / "model"
    write_export(out)
    (out / "hls" / "solution1").mkdir()
    (out / "hls" / "solution1" / "ip.zip").write_text("hours of synthesis")
    with pytest.raises(UsageError) as caught:
        ExportDirectory(out)
    assert str(caught.value) == (
        f"--out {out}: holds 1 file(s) that the export did not write, first "
        "'hls/solution1/ip.zip'; move them away or choose another folder"
    )


def test_file_that_appears_meanwhile_is_kept(tmp_path):
    out = tmp_path / "model"
    with pytest.raises(UsageError), ExportDirectory(out) as directory:
        out.mkdir()
        (out / "late").write_text("x")
        directory.commit()
    assert listing(tmp_path) == ["model", "model/late"]


def test_unwritable_parent(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SephwError) as caught, ExportDirectory(tmp_path / "file" / "model"):
        pass
    assert str(caught.value) == (
        f"--out {tmp_path}/file/model: cannot be written (Not a directory); choose another folder"
    )


def test_current_folder_is_not_replaced(tmp_path, monkeypatch):
    write_export(tmp_path / "model")
    monkeypatch.chdir(tmp_path / "model" / "hls")
    with pytest.raises(UsageError) as caught:
        ExportDirectory(tmp_path / "model")
    assert str(caught.value) == (
        f"--out {tmp_path}/model: the current folder lies in it; change to another first"
    )
