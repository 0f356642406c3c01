"""Darknet files: numbers that no network has."""

from attacks.attack import attack

NET = "[net]\nwidth={width}\nheight=8\nchannels=3\n\n"
LAYER = "[convolutional]\nfilters={filters}\nsize={size}\nstride={stride}\npad=1\nactivation=linear\n\n"
HEAD = "[yolo]\nmask=0\nanchors=1,1\nclasses=1\nnum=1\n"


def network(place, extra="", **numbers):
    """Write a network of one layer."""
    values = {"width": 8, "filters": 18, "size": 1, "stride": 1, **numbers}
    (place.source / "net.cfg").write_text((NET + LAYER).format(**values) + extra)
    (place.source / "net.weights").write_bytes(bytes(20 + 4 * 18 * 4))


@attack("darknet")
def width_of_1e20(place):
    network(place, width=10**20)


@attack("darknet")
def width_of_100_digits(place):
    network(place, width="9" * 100)


@attack("darknet")
def filters_of_1e12(place):
    network(place, filters=10**12)


@attack("darknet")
def stride_of_0(place):
    network(place, stride=0)


@attack("darknet")
def size_of_minus_1(place):
    network(place, size=-1)


@attack("darknet")
def route_to_itself(place):
    network(place, "[route]\nlayers=1\n\n")


@attack("darknet")
def a_million_sections(place):
    network(place, "[shortcut]\nfrom=-1\nactivation=linear\n\n" * 200_000)
