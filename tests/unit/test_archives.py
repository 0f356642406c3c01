"""Archives, well-meant and hostile."""

import bz2
import gzip
import io
import lzma
import os
import random
import stat
import tarfile
import zipfile

import pytest

from zoomill.errors import UserError
from zoomill.fetch import archives

MIB = 1 << 20
PACKERS = {"tar": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def tar_of(*members):
    """Return a tar of ``(name, data or None, attributes of its TarInfo)``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data, *attributes in members:
            info = tarfile.TarInfo(name)
            for key, value in (attributes or [{}])[0].items():
                setattr(info, key, value)
            if data is not None:
                info.size = len(data)
            archive.addfile(info, data and io.BytesIO(data))
    return packed.getvalue()


def zip_of(*members):
    """Return a zip of ``(name, data, Unix mode)``."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, *mode in members:
            info = zipfile.ZipInfo("x")
            # Past the constructor, which mends some names.
            info.filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode or [stat.S_IFREG | 0o644])[0] << 16
            archive.writestr(info, data)
    return packed.getvalue()


def link(kind, target):
    return {"type": kind, "linkname": target}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def unpack(folder, data, **more):
    archive = folder.parent / "archive"
    archive.write_bytes(data)
    archives.unpack(archive, folder, **more)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(folder, data, **more):
    """Unpack what must be refused before anything is written, and return the message."""
    before = sorted(os.walk(folder.parent))
    with pytest.raises(UserError) as caught:
        unpack(folder, data, **more)
    (folder.parent / "archive").unlink()
    assert sorted(os.walk(folder.parent)) == before
    return str(caught.value)


# Well-meant ones


@pytest.mark.parametrize("packer", PACKERS)
def test_a_tar_is_told_by_its_content(folder, packer):
    packed = tar_of(("./top", None, {"type": tarfile.DIRTYPE}), ("./top/a", b"1"), ("b", b""))
    assert unpack(folder, PACKERS[packer](packed)) == {"top/a": b"1", "b": b""}


def test_a_zip_is_told_by_its_content(folder):
    assert unpack(folder, zip_of(("top/", b""), ("top/a", b"1"), ("b", b""))) == {"top/a": b"1", "b": b""}


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_strip_drops_leading_components(folder, pack):
    packed = pack(("top/a", b"1"), ("top/b/c", b"2"), ("readme", b"3"))
    assert unpack(folder, packed, strip=1) == {"a": b"1", "b/c": b"2"}


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_only_filters_by_the_stripped_path(folder, pack):
    packed = pack(("top/a.pb", b"1"), ("top/b/c.pb", b"2"), ("top/b/d.txt", b"3"), ("top/e", b"4"))
    assert unpack(folder, packed, strip=1, only=["*.pb", "e"]) == {"a.pb": b"1", "b/c.pb": b"2", "e": b"4"}


def test_a_pattern_without_a_match_is_named(folder):
    assert "holds no file for '*.ckpt'" in refused(folder, tar_of(("a.pb", b"1")), only=["*.pb", "*.ckpt"])


def test_a_strip_that_leaves_nothing_is_named(folder):
    assert "strip: 1" in refused(folder, tar_of(("a.pb", b"1")), strip=1)


@pytest.mark.parametrize("mode", [0o000, 0o755, 0o4777])
def test_modes_are_not_taken_over(folder, mode):
    unpack(folder, tar_of(("a", b"1", {"mode": mode, "uid": 12345})))
    assert stat.S_IMODE((folder / "a").stat().st_mode) & 0o7111 == 0
    assert (folder / "a").stat().st_uid == os.getuid()


@pytest.mark.parametrize("packer", PACKERS)
def test_links_to_files_of_the_archive_become_copies(folder, packer):
    packed = tar_of(
        ("sub/soft", None, link(tarfile.SYMTYPE, "../a")),
        ("a", b"1"),
        ("hard", None, link(tarfile.LNKTYPE, "a")),
    )
    assert unpack(folder, PACKERS[packer](packed)) == {"sub/soft": b"1", "a": b"1", "hard": b"1"}
    assert not (folder / "sub/soft").is_symlink()
    assert (folder / "a").stat().st_nlink == 1


def test_a_zip_link_to_a_file_of_the_archive_becomes_a_copy(folder):
    packed = zip_of(("sub/soft", b"../a", stat.S_IFLNK | 0o777), ("a", b"1"))
    assert unpack(folder, packed) == {"sub/soft": b"1", "a": b"1"}
    assert not (folder / "sub/soft").is_symlink()


def test_a_link_that_is_not_wanted_may_lead_nowhere(folder):
    packed = tar_of(("docs", None, link(tarfile.SYMTYPE, "nowhere")), ("a", b"1"))
    assert unpack(folder, packed, only=["a"]) == {"a": b"1"}


def test_small_weights_full_of_zeros_are_no_bomb(folder):
    assert unpack(folder, gzip.compress(tar_of(("a", bytes(20 * MIB))))) == {"a": bytes(20 * MIB)}


def test_a_sparse_file_of_gnu_tar_is_filled_with_zeros(folder):
    (folder.parent / "sparse").write_bytes(b"")
    with open(folder.parent / "sparse", "r+b") as file:
        file.truncate(MIB)
        file.seek(MIB)
        file.write(b"end")
    os.system(f"cd {folder.parent} && tar --sparse -cf sparse.tar sparse")
    packed = (folder.parent / "sparse.tar").read_bytes()
    assert len(packed) < MIB
    assert unpack(folder, packed) == {"sparse": bytes(MIB) + b"end"}


# Hostile ones

ESCAPES = [
    "../x",
    "/x",
    "a/../../x",
    "a/../x",
    "..",
    "a\\..\\x",
    "a\nb",
    "a\u2028b",
    "\x1b[31mred",
    "x" * 256,
    "y/" * 300 + "x",
]


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_path_that_escapes_is_refused_with_all_others(folder, pack, name):
    message = refused(folder, pack(("good", b"1"), (name, b"2")))
    assert message.startswith("the path ")
    assert message.isprintable()


@pytest.mark.parametrize("name", ["../x", "/x"])
def test_a_path_that_escapes_is_refused_where_it_is_not_even_wanted(folder, name):
    refused(folder, tar_of(("good", b"1"), (name, b"2")), only=["good"])
    refused(folder, tar_of(("good", b"1"), (name, None, {"type": tarfile.DIRTYPE})))


def test_a_name_that_is_not_utf8_is_refused(folder):
    assert "is not UTF-8" in refused(folder, tar_of(("g\udcff\udcfed", b"1")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "sub/../../x", "..", "/"])
def test_a_tar_link_that_leaves_the_folder_is_refused(folder, kind, target):
    packed = tar_of(("good", b"1"), ("l", None, link(kind, target)))
    assert "link 'l' that leads out" in refused(folder, packed)
    assert "link 'l' that leads out" in refused(folder, packed, only=["good"])


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../x", b"x" * 1000])
def test_a_zip_link_that_leaves_the_folder_is_refused(folder, target):
    assert "a link 'l' " in refused(folder, zip_of(("good", b"1"), ("l", target, stat.S_IFLNK | 0o777)))


@pytest.mark.parametrize("target", ["nowhere", "l", "k", "sub", "."])
def test_a_link_to_anything_but_a_file_is_refused(folder, target):
    packed = tar_of(
        ("sub/a", b"1"),
        ("k", None, link(tarfile.SYMTYPE, "l")),
        ("l", None, link(tarfile.SYMTYPE, target)),
    )
    assert "leads to no file of the archive" in refused(folder, packed)


def test_a_file_through_a_linked_folder_is_refused(folder):
    packed = tar_of(("sub", None, link(tarfile.SYMTYPE, ".")), ("sub/x", b"1"))
    refused(folder, packed)


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"])
def test_a_tar_device_is_refused(folder, kind):
    packed = tar_of(("good", b"1"), ("d", None, {"type": kind}))
    assert "a device, pipe or unknown kind" in refused(folder, packed)


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_zip_device_is_refused(folder, kind):
    assert "a device, pipe or unknown kind" in refused(folder, zip_of(("good", b"1"), ("d", b"", kind)))


@pytest.mark.parametrize("name", ["a", "A", "./a", "a/b"])
@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide_are_refused(folder, pack, name):
    assert " beside " in refused(folder, pack(("a", b"1"), ("b", b"2"), (name, b"3")))


def test_names_that_differ_in_the_form_of_an_accent_are_refused(folder):
    assert " beside " in refused(folder, tar_of(("\u00e9", b"1"), ("e\u0301", b"2")))


def test_names_that_collide_once_stripped_are_refused(folder):
    assert " beside " in refused(folder, tar_of(("x/a", b"1"), ("y/a", b"2")), strip=1)


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz"])
def test_a_tar_bomb_is_refused_before_it_is_unpacked(folder, packer):
    packed = PACKERS[packer](tar_of(("bomb", bytes(archives.FREE_BYTES + 1))))
    assert refused(folder, packed) == "unpacks to more than 64 MiB"


def test_a_tar_that_claims_terabytes_is_refused(folder):
    header = tarfile.TarInfo("bomb")
    header.size = 5 << 40
    assert "unpacks to more than" in refused(folder, header.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def test_a_tar_bomb_of_many_files_is_refused(folder):
    packed = gzip.compress(tar_of(*((str(number), bytes(9 * MIB)) for number in range(8))))
    assert "unpacks to more than 64 MiB" in refused(folder, packed)


def test_a_tar_bomb_of_links_is_refused(folder):
    links = [(f"l{number}", None, link(tarfile.LNKTYPE, "a")) for number in range(20)]
    packed = gzip.compress(tar_of(("a", bytes(4 * MIB)), *links))
    assert "links that unpack to more than 64 MiB" in refused(folder, packed)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_bomb_in_a_header_is_refused(folder, kind):
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, 32 * MIB
    packed = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(32 * MIB) + tar_of(("a", b"1")))
    assert "headers of more than 64 KiB" in refused(folder, packed)


def test_an_endless_chain_of_headers_is_refused(folder):
    header = tarfile.TarInfo("header")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2
    assert "is damaged" in refused(folder, (header.tobuf(tarfile.GNU_FORMAT) + bytes(512)) * 5000)


def test_a_zip_bomb_is_refused(folder):
    packed = zip_of(*((str(number), bytes(9 * MIB)) for number in range(8)))
    assert refused(folder, packed) == "unpacks to more than 64 MiB"


def test_a_zip_whose_files_overlap_is_refused(folder):
    """Many entries of the directory share the bytes of one file, as in the 42 kB bombs of D. Fifield."""
    packed = io.BytesIO(zip_of(("0", bytes(9 * MIB))))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.filelist += archive.filelist * 8
        archive._didModify = True
    assert refused(folder, packed.getvalue()) == "is damaged: some of its files overlap"


def test_a_zip_that_understates_its_size_is_refused(folder):
    packed = zip_of(("a", bytes(MIB)))
    understated = packed.replace(MIB.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert understated != packed
    with pytest.raises(UserError, match="is damaged"):
        unpack(folder, understated)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_too_many_files_are_refused(folder, pack):
    packed = pack(*((str(number), b"") for number in range(archives.MAX_MEMBERS + 1)))
    assert refused(folder, packed) == "holds more than 10000 files"


def test_an_encrypted_zip_is_refused(folder):
    packed = bytearray(zip_of(("a", b"1")))
    packed[packed.index(b"PK\1\2") + 8] |= 1
    assert refused(folder, bytes(packed)) == "is encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_a_zip_that_is_packed_in_another_way_is_refused(folder, method):
    packed = bytearray(zip_of(("a", b"1")))
    for signature, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        packed[packed.index(signature) + place] = method
    assert refused(folder, bytes(packed)) == "packs 'a' by another method than deflate"


def test_a_zip_that_overstates_its_size_is_refused(folder):
    packed = zip_of(("a", b"1" * 1000))
    overstated = packed.replace((1000).to_bytes(4, "little"), (1001).to_bytes(4, "little"))
    with pytest.raises(UserError, match="^is damaged: 'a' has another size than it says$"):
        unpack(folder, overstated)


def test_the_directory_of_a_zip_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(archives, "MAX_DIRECTORY", 1000)
    packed = zip_of(*((str(number), b"") for number in range(50)))
    assert "has headers of more than 0 KiB" in refused(folder, packed)


def test_links_are_unpacked_in_one_pass_over_the_stream(folder, monkeypatch):
    """74 kB hang: links to a first and a last file by turns take the stream back and through the zeros between."""
    passed, rewind = [], gzip._GzipReader._rewind
    monkeypatch.setattr(gzip._GzipReader, "_rewind", lambda self: passed.append(1) or rewind(self))
    links = [(f"l{number}", None, link(tarfile.LNKTYPE, "az"[number % 2])) for number in range(20)]
    packed = gzip.compress(tar_of(("a", b"1"), ("zeros", bytes(9 * MIB)), ("z", b"2"), *links))
    found = unpack(folder, packed)
    assert [found[f"l{number}"] for number in range(20)] == [b"1", b"2"] * 10
    assert len(passed) <= 2


def test_a_member_that_leads_back_in_the_stream_is_refused(folder):
    header = tarfile.TarInfo("back")
    header.size = -MIB
    assert "negative size" in refused(folder, tar_of(("a", b"1"))[:1024] + header.tobuf(tarfile.GNU_FORMAT))


def test_a_header_of_a_negative_size_does_not_read_the_rest(folder):
    header = tarfile.TarInfo("all")
    header.type, header.size = tarfile.XHDTYPE, -MIB
    packed = header.tobuf(tarfile.GNU_FORMAT) + bytes(MIB)
    assert refused(folder, packed) == "is damaged: it has a negative size"


def pax(kind, entries):
    """Return a pax header of the given entries."""
    data = b"".join(b"%d %s\n" % (len(entry) + 4, entry) for entry in entries)
    header = tarfile.TarInfo("pax")
    header.type, header.size = kind, len(data)
    return header.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_more_pax_headers_than_any_tool_writes_are_refused(folder, kind):
    packed = pax(kind, [b"k%04d=%s" % (number, b"v" * 10) for number in range(1000)]) + tar_of(("a", b"1"))
    assert refused(folder, packed) == "has more than 100 pax headers for 'a'"


def test_headers_without_end_are_refused(folder, monkeypatch):
    monkeypatch.setattr(archives, "MAX_HEADERS", 20 * 512)
    packed = tar_of(*((str(number), None, {"type": tarfile.DIRTYPE}) for number in range(50)))
    assert "has headers of more than 0 KiB" in refused(folder, packed)


def test_a_sparse_map_without_end_is_refused(folder, monkeypatch):
    monkeypatch.setattr(archives, "MAX_HEADERS", MIB)
    header = pax(tarfile.XHDTYPE, [b"GNU.sparse.major=1", b"GNU.sparse.minor=0"])
    file = tarfile.TarInfo("a")
    file.size = 8 * MIB
    packed = gzip.compress(header + file.tobuf(tarfile.GNU_FORMAT) + b"99999999\n" + b"0\n" * 4 * MIB)
    assert "has headers of more than" in refused(folder, packed)


@pytest.mark.parametrize("rest", [b"\1" * 512, b"\1" * 511, b"\1" * 2000])
def test_what_is_no_header_does_not_end_a_tar_in_silence(folder, rest):
    packed = tar_of(("a", b"1"), ("b", b"2"))[:2048]
    assert "is damaged after 2 members" in refused(folder, packed + rest)


@pytest.mark.parametrize("packer", [*PACKERS, "zip"])
def test_a_truncated_archive_is_refused_wherever_it_ends(folder, packer):
    members = [(f"{number}", random.Random(number).randbytes(3000)) for number in range(3)]
    packed = zip_of(*members) if packer == "zip" else PACKERS[packer](tar_of(*members))
    end = len(packed) - (0 if packer != "tar" else 10240 - 3 * 3584 % 10240)
    for number, length in enumerate(range(0, end, 501)):
        if packer == "tar" and length % 3584 == 0 and length:
            continue  # between two members: GNU tar takes that, too
        (folder / str(number)).mkdir()
        (folder.parent / "archive").write_bytes(packed[:length])
        with pytest.raises(UserError):
            archives.unpack(folder.parent / "archive", folder / str(number))


def test_an_archive_for_which_the_disk_has_no_room_is_refused(folder, monkeypatch):
    monkeypatch.setattr(archives.disk, "free", lambda folder: MIB)
    packed = tar_of(("a", bytes(3 * MIB)))
    assert refused(folder, packed) == "unpacks to 3 MiB, but the disk has room for 1"


def test_a_tar_whose_first_name_begins_as_a_zip_does_is_a_tar(folder):
    assert unpack(folder, tar_of(("PK", b"1"))) == {"PK": b"1"}


NO_ARCHIVES = [b"", b"no archive", b"PK\3\4", b"\x1f\x8b\x08", gzip.compress(b"weights", mtime=0), bytes(2048)]


@pytest.mark.parametrize("data", NO_ARCHIVES)
def test_what_is_no_archive_is_refused(folder, data):
    refused(folder, data)


@pytest.mark.parametrize("packer", [*PACKERS, "zip"])
def test_damaged_archives_give_a_user_error_and_nothing_outside(folder, packer):
    members = [(f"top/{number}", random.Random(number).randbytes(3000)) for number in range(5)]
    packed = zip_of(*members) if packer == "zip" else PACKERS[packer](tar_of(*members))
    chance = random.Random(packer)
    for attempt in range(150):
        damaged = bytearray(packed)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if attempt % 3 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        target = folder / str(attempt)
        target.mkdir()
        (folder.parent / "archive").write_bytes(damaged)
        try:
            archives.unpack(folder.parent / "archive", target)
        except UserError as error:
            assert str(error)
    assert sorted(os.listdir(folder.parent)) == ["archive", "out"]
    assert sorted(os.listdir(folder), key=int) == [str(number) for number in range(150)]


def test_what_is_in_the_folder_stays(folder):
    (folder / "a").write_bytes(b"old")
    with pytest.raises(UserError, match="another file of the card"):
        unpack(folder, tar_of(("a", b"new")))
    assert (folder / "a").read_bytes() == b"old"
