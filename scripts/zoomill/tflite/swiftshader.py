"""SwiftShader, Vulkan on the processor, which every Chromium brings along: a GPU for machines that have none."""

import ctypes
import os
import shutil

from zoomill import files
from zoomill.errors import UserError

# The loader of Vulkan, what tells it of SwiftShader, and SwiftShader.
_PARTS = ("libvulkan.so.1", "vk_swiftshader_icd.json", "libvk_swiftshader.so")
# Where systems keep what their program chromium, often a script elsewhere, starts.
_FOLDERS = ("/usr/lib/chromium", "/usr/lib64/chromium-browser", "/usr/lib/chromium-browser", "/opt/google/chrome")


def find(program):
    """Return the folder of the SwiftShader that a Chromium brings along.

    Args:
        program: Chromium, its path or name.

    Raises:
        UserError: when there is none.
    """
    path = shutil.which(program)
    for folder in (*([os.path.dirname(os.path.realpath(path))] if path else ()), *_FOLDERS):
        if all(os.path.exists(os.path.join(folder, name)) for name in _PARTS):
            return folder
    raise UserError(
        f"{program}: has no SwiftShader beside it, without which there is no GPU to try; install Debian's chromium, "
        "or leave `gpu` out of `deploy` in config.yaml"
    )


def digest(folder):
    """Return the SHA-256 of the SwiftShader in a folder, which decides about figures."""
    return files.digest(os.path.join(folder, _PARTS[-1]))


def load(folder):
    """Make SwiftShader the Vulkan of this process, before anything in it looks for one."""
    loader, driver, _ = (os.path.join(folder, name) for name in _PARTS)
    os.environ["VK_DRIVER_FILES"] = driver
    ctypes.CDLL(loader, mode=ctypes.RTLD_GLOBAL)  # whoever asks for a library of this name gets this one
