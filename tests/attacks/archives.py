"""Archives: members that leave the folder, links without an end, bombs."""

import io
import tarfile
import zipfile

from attacks.attack import attack


def tar(place, *members, mode="w:gz"):
    """Write a tar archive of ``(name, type, target or content)``."""
    with tarfile.open(place.source / "model.tar.gz", mode) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = str(content)
                archive.addfile(info)


FILE, LINK, HARD, PIPE = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE


@attack("archive")
def member_in_a_folder_above(place):
    tar(place, ("../../outside/marker", FILE, b"x"))


@attack("archive")
def member_at_an_absolute_path(place):
    tar(place, (str(place.marker), FILE, b"x"))


@attack("archive")
def member_behind_a_link(place):
    tar(place, ("a", LINK, place.outside), ("a/marker", FILE, b"x"))


@attack("archive")
def member_behind_a_chain_of_links(place):
    tar(place, ("d/a", LINK, ".."), ("b", LINK, "d/a/../../outside"), ("b/marker", FILE, b"x"))


@attack("archive")
def link_to_a_file_outside(place):
    tar(place, ("a", LINK, place.secret))


@attack("archive")
def hard_link_to_a_file_outside(place):
    tar(place, ("a", HARD, place.secret))


@attack("archive")
def named_pipe(place):
    tar(place, ("a", PIPE, ""))


@attack("archive")
def chain_of_9000_links(place):
    tar(place, ("l0", FILE, b"x"), *((f"l{number}", LINK, f"l{number - 1}") for number in range(1, 9_000)))


@attack("archive")
def links_in_a_ring(place):
    tar(place, ("a", LINK, "b"), ("b", LINK, "a"))


@attack("archive")
def zip_that_unpacks_to_4_gigabytes(place):
    path, mode = place.source / "model.tar.gz", zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", mode) as archive, archive.open("zeros", "w", force_zip64=True) as member:
        for _ in range(4096):
            member.write(bytes(1 << 20))


@attack("archive")
def path_of_20000_folders(place):
    tar(place, ("a/" * 20_000 + "b", FILE, b"x"))
