"""A device that is not there: numbers on the CPU, but places kept apart as on a GPU."""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

GPU = torch.device("cuda", 0)
MOVES = {"to", "cpu", "cuda"}
CROSSES = {"copy_", "__set__", "_has_compatible_shallow_copy_type", "__deepcopy__", "backward"}


class WrongPlace(Exception):
    """An operation read from the CPU and from the GPU."""


class Elsewhere(TorchFunctionMode):
    """Tensors moved to "cuda" stay real, but may meet others of that place alone.

    As there, numbers without an axis may come from anywhere. What a tensor was made
    from decides where it is; memory is kept, so that no address is used again.
    """

    def __init__(self):
        super().__init__()
        self.there = {}

    def is_there(self, tensor):
        if tensor.layout != torch.strided:
            return id(tensor) in self.there
        return tensor.untyped_storage().data_ptr() in self.there

    def mark(self, tensor):
        if tensor.layout != torch.strided:
            self.there[id(tensor)] = tensor
        elif tensor.untyped_storage().nbytes():
            self.there[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
        if name == "_parse_to":  # of ``Module.to``: moves nothing yet
            return func(*args, **kwargs)
        if func == torch.Tensor.device.__get__:
            return GPU if self.is_there(args[0]) else func(*args)
        asked = [one for one in (*args, *kwargs.values()) if isinstance(one, torch.device | str)]
        asked = [torch.device(one) for one in asked if str(one).split(":")[0] in ("cpu", "cuda")]
        if name in MOVES and (asked or name != "to"):
            return self.move(args[0], name == "cuda" or (bool(asked) and asked[0].type == "cuda"))
        if name == "numpy" and self.is_there(args[0]):
            raise WrongPlace("numpy() of a tensor on the GPU")
        places = {self.is_there(one) for one in tensors if one.dim() and one.numel()}
        if len(places) > 1 and name not in CROSSES:
            shapes = [(tuple(one.shape), self.is_there(one)) for one in tensors]
            raise WrongPlace(f"{name}: {shapes}")
        args, kwargs = tree_map(self.on_the_cpu, (args, kwargs))
        found = func(*args, **kwargs)
        on_gpu = any(one.type == "cuda" for one in asked) or any(map(self.is_there, tensors))
        if on_gpu:
            for one in tree_flatten(found)[0]:
                if isinstance(one, torch.Tensor):
                    self.mark(one)
        return found

    def on_the_cpu(self, value):
        """Devices named in a call become the one that there is."""
        return torch.device("cpu") if isinstance(value, torch.device) else value

    def move(self, tensor, there):
        if self.is_there(tensor) == there:
            return tensor
        copy = tensor.detach().clone() if tensor.is_leaf else tensor.clone()
        return self.mark(copy) if there else copy
