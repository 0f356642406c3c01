"""HDF5 files of Keras: what they hold themselves, and what they would read elsewhere."""

from zoomill.errors import UserError
from zoomill.inspect import guards
from zoomill.inspect.allowed import TOUCHES_FILES, Found


def opened(path, source):
    """Return an HDF5 file open for reading.

    Args:
        path: for messages.
        source: path or file object.

    Raises:
        UserError: when h5py is missing.
        OSError: when it is damaged.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise UserError(f"{path}: reading a Keras file needs h5py, which this environment lacks") from error
    return h5py.File(source, "r")


def text(file, name):
    """Return an attribute as text, None where the file has none of that name."""
    if name not in file.attrs:
        return None
    if file.attrs.get_id(name).get_storage_size() > guards.TEXT_LIMIT:
        raise ValueError(f"its attribute {name} is too large")
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def outside(file):
    """Return what a file would read elsewhere: links, and data sets whose values are in other files."""
    import h5py

    result, seen, waiting = [], set(), [file]
    while waiting:
        group = waiting.pop()
        if h5py.h5o.get_info(group.id).addr in seen:
            continue
        seen.add(h5py.h5o.get_info(group.id).addr)
        for name in group:
            place = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                result.append(Found(TOUCHES_FILES, type(group.get(name, getlink=True)).__name__, place))
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                result.append(Found(TOUCHES_FILES, "VirtualDataset" if item.is_virtual else "ExternalDataset", place))
    return result


def copy(file, path, names, target):
    """Copy groups of a file with their attributes into another, which then needs nothing but itself.

    Args:
        file: open for reading.
        path: for messages.
        names: of the groups.
        target: open for writing.

    Raises:
        UserError: when it would read elsewhere, or unpacks to more than a model of this size has.
    """
    import h5py

    for one in outside(file):
        raise UserError(f"{path}: {one.place} is kept as {one.name}, which reads elsewhere; refused")

    def check(_, item):
        if isinstance(item, h5py.Dataset) and item.nbytes > 100 * item.id.get_storage_size():
            stored = item.id.get_storage_size()
            raise UserError(f"{path}: {item.name} unpacks from {stored} to {item.nbytes} bytes; refused")

    file.visititems(check)
    for name in names:
        file.copy(name, target)
