"""One GPU's step of SDXL's UNet and of DiT-XL/2 in Python's torch, with random weights: the peer of DiffusionGpu.java.

diffusion_peer.py OUT.json [--quick|--rehearse]   eager mode, fp16, channels_last, scaled_dot_product_attention
"""

import json
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Resnet(nn.Module):
    def __init__(self, inputs, outputs, time_width, groups=32):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=1e-5)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(time_width, outputs)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=1e-5)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(t)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return (x if self.shortcut is None else self.shortcut(x)) + h


class Attention(nn.Module):
    def __init__(self, width, context, head, bias=False):
        super().__init__()
        self.head = head
        self.q = nn.Linear(width, width, bias=bias)
        self.k = nn.Linear(context, width, bias=bias)
        self.v = nn.Linear(context, width, bias=bias)
        self.out = nn.Linear(width, width)

    def forward(self, x, context):
        def heads(t):
            return t.view(t.shape[0], t.shape[1], -1, self.head).transpose(1, 2)

        y = F.scaled_dot_product_attention(heads(self.q(x)), heads(self.k(context)), heads(self.v(context)))
        return self.out(y.transpose(1, 2).reshape(x.shape))


class TextBlock(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1 = Attention(width, width, 64)
        self.attn2 = Attention(width, context, 64)
        self.proj = nn.Linear(width, 8 * width)
        self.back = nn.Linear(4 * width, width)

    def forward(self, x, text):
        h = self.norm1(x)
        x = x + self.attn1(h, h)
        x = x + self.attn2(self.norm2(x), text)
        a, b = self.proj(self.norm3(x)).chunk(2, dim=-1)
        return x + self.back(a * F.gelu(b))


class Transformer(nn.Module):
    def __init__(self, width, depth, context):
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in = nn.Linear(width, width)
        self.blocks = nn.ModuleList(TextBlock(width, context) for _ in range(depth))
        self.proj_out = nn.Linear(width, width)

    def forward(self, x, text):
        b, c, rows, columns = x.shape
        h = self.proj_in(self.norm(x).permute(0, 2, 3, 1).reshape(b, rows * columns, c))
        for block in self.blocks:
            h = block(h, text)
        return x + self.proj_out(h).reshape(b, rows, columns, c).permute(0, 3, 1, 2)


def sinusoid(t, width, shift=0):
    half = width // 2
    f = torch.exp(-math.log(10000) * torch.arange(half, device=t.device, dtype=torch.float32) / (half - shift))
    angles = t.float()[:, None] * f[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Sdxl(nn.Module):
    def __init__(self):
        super().__init__()
        widths, depths, context, tw = (320, 640, 1280), (0, 2, 10), 2048, 1280

        def attention(width, depth):
            return Transformer(width, depth, context) if depth else None

        self.conv_in = nn.Conv2d(4, 320, 3, padding=1)
        self.time1, self.time2 = nn.Linear(320, tw), nn.Linear(tw, tw)
        self.add1, self.add2 = nn.Linear(2816, tw), nn.Linear(tw, tw)
        self.down = nn.ModuleList()
        skips, c = [320], 320
        for i, w in enumerate(widths):
            for _ in range(2):
                self.down.append(nn.ModuleList([Resnet(c, w, tw), attention(w, depths[i]), None]))
                c = w
                skips.append(c)
            if i < 2:
                self.down.append(nn.ModuleList([None, None, nn.Conv2d(c, c, 3, stride=2, padding=1)]))
                skips.append(c)
        self.mid1, self.mid_attention, self.mid2 = Resnet(c, c, tw), attention(c, 10), Resnet(c, c, tw)
        self.up = nn.ModuleList()
        for i in (2, 1, 0):
            w = widths[i]
            for j in range(3):
                up = nn.Conv2d(w, w, 3, padding=1) if j == 2 and i > 0 else None
                self.up.append(nn.ModuleList([Resnet(c + skips.pop(), w, tw), attention(w, depths[i]), up]))
                c = w
        self.norm_out = nn.GroupNorm(32, 320, eps=1e-5)
        self.conv_out = nn.Conv2d(320, 4, 3, padding=1)

    def forward(self, x, t, text, pooled, sizes):
        e = self.time2(F.silu(self.time1(sinusoid(t, 320).to(x.dtype))))
        s = sinusoid(sizes.reshape(-1), 256).to(x.dtype).view(x.shape[0], -1)
        e = F.silu(e + self.add2(F.silu(self.add1(torch.cat([pooled, s], dim=1)))))
        h = self.conv_in(x)
        skips = [h]
        for resnet, attention, down in self.down:
            h = down(h) if down is not None else resnet(h, e)
            h = attention(h, text) if attention is not None else h
            skips.append(h)
        h = self.mid2(self.mid_attention(self.mid1(h, e), text), e)
        for resnet, attention, up in self.up:
            h = resnet(torch.cat([h, skips.pop()], dim=1), e)
            h = attention(h, text) if attention is not None else h
            h = up(F.interpolate(h, scale_factor=2.0, mode="nearest")) if up is not None else h
        return self.conv_out(F.silu(self.norm_out(h)))


class DitBlock(nn.Module):
    def __init__(self, d, head, classes):
        super().__init__()
        self.time1, self.time2 = nn.Linear(256, d), nn.Linear(d, d)
        self.classes = nn.Embedding(classes + 1, d)
        self.modulation = nn.Linear(d, 6 * d)
        self.attention = Attention(d, d, head, bias=True)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def condition(self, s, labels):
        return F.silu(self.time2(F.silu(self.time1(s))) + self.classes(labels))

    def forward(self, x, s, labels):
        m = self.modulation(self.condition(s, labels))[:, None].chunk(6, dim=-1)
        d = (x.shape[-1],)
        h = F.layer_norm(x, d, eps=1e-6) * (1 + m[1]) + m[0]
        x = x + m[2] * self.attention(h, h)
        h = F.layer_norm(x, d, eps=1e-6) * (1 + m[4]) + m[3]
        return x + m[5] * self.down(F.gelu(self.up(h), approximate="tanh"))


class Dit(nn.Module):
    def __init__(self, layers=28, d=1152, head=72, classes=1000):
        super().__init__()
        self.patch = nn.Conv2d(4, d, 2, stride=2)
        self.blocks = nn.ModuleList(DitBlock(d, head, classes) for _ in range(layers))
        self.out1, self.out2 = nn.Linear(d, 2 * d), nn.Linear(d, 32)
        self.d = d

    def forward(self, x, t, labels, positions):
        s = sinusoid(t, 256, 1).to(x.dtype)
        h = self.patch(x).flatten(2).transpose(1, 2) + positions
        for block in self.blocks:
            h = block(h, s, labels)
        shift, scale = self.out1(self.blocks[0].condition(s, labels))[:, None].chunk(2, dim=-1)
        h = self.out2(F.layer_norm(h, (self.d,), eps=1e-6) * (1 + scale) + shift)
        b, rows, columns = x.shape[0], x.shape[2] // 2, x.shape[3] // 2
        h = h.view(b, rows, columns, 2, 2, 8).permute(0, 5, 1, 3, 2, 4).reshape(b, 8, 2 * rows, 2 * columns)
        return h[:, :4]


def main():
    out = sys.argv[1]
    quick, rehearse = "--quick" in sys.argv, "--rehearse" in sys.argv
    device = "cpu" if rehearse else "cuda"
    dtype = torch.float32 if rehearse else torch.float16
    result = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    if not rehearse:
        result["gpu"] = torch.cuda.get_device_name(0)
    sizes = {"sdxl": [1024, 2048] if quick else [1024, 2048, 3840], "dit-xl": [1024] if quick else [1024, 2048]}
    if rehearse:
        with torch.device("meta"):
            result["sdxl parameters"] = sum(p.numel() for p in Sdxl().parameters())
            result["dit-xl parameters"] = sum(p.numel() for p in Dit().parameters())
        sizes = {"dit-xl": [64]}
    for name in sizes:
        try:
            torch.manual_seed(1)
            torch.set_default_dtype(dtype)
            with torch.device(device):
                model = Sdxl() if name == "sdxl" else Dit(2 if rehearse else 28)
            torch.set_default_dtype(torch.float32)
            model = model.to(memory_format=torch.channels_last).eval()
            if not rehearse:
                result[name + " parameters"] = sum(p.numel() for p in model.parameters())
            for pixels in sizes[name]:
                result[f"{name} {pixels}"] = measure(name, model, pixels, device, dtype, 2 if rehearse or pixels > 3000 else 5)
                print(f"peer {name} {pixels}: {result[f'{name} {pixels}']['stepMs']:.1f} ms a step", flush=True)
            del model
            if device == "cuda":
                torch.cuda.empty_cache()
        except Exception as e:  # the other model and Spillway's part go on
            print("peer", name, "failed:", repr(e), flush=True)
            result[name + " failed"] = repr(e)
        with open(out, "w") as f:
            json.dump(result, f, indent=1)


@torch.inference_mode()
def measure(name, model, pixels, device, dtype, timed):
    latent = pixels // 8

    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    x = torch.randn(1, 4, latent, latent, device=device, dtype=dtype)
    text = torch.randn(2, 77, 2048, device=device, dtype=dtype)
    pooled = torch.randn(2, 1280, device=device, dtype=dtype)
    numbers = torch.full((2, 6), float(pixels), device=device, dtype=dtype)
    labels = torch.tensor([1000, 3], device=device)
    positions = torch.randn(1, (latent // 2) ** 2, 1152, device=device, dtype=dtype)

    def step(x, i):
        t = torch.full((2,), 900.0 - i, device=device)
        both = torch.cat([x, x])
        if name == "sdxl":
            y = model(both.contiguous(memory_format=torch.channels_last), t, text, pooled, numbers)
        else:
            y = model(both, t, labels, positions)
        u, c = y.chunk(2)
        return x - 0.02 * (u + 5 * (c - u))

    for i in range(2):
        x = step(x, i)
    wait()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    for i in range(timed):
        x = step(x, i)
    queued = time.perf_counter()
    wait()
    done = time.perf_counter()
    peak = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0
    return {
        "stepMs": (done - began) / timed * 1e3,
        "enqueueMs": (queued - began) / timed * 1e3,
        "timedSteps": timed,
        "peakGiB": peak,
        "finite": bool(torch.isfinite(x).all()),
    }


main()
