#!/usr/bin/env python3
"""Compares what DiffusionParity.java wrote with the same models computed here: DiT, PixArt, UNet and VAE by the plain
torch code below, the text encoders by transformers.

    diffusion-parity.py FOLDER DEVICE OUT.json

An error is the root of the mean squared difference to this program's f32 result over that result's deviation; the
largest difference is in the JSON. For
bf16 the error of this program's own bf16 run stands beside ours: rounding alone, without any mistake."""
import json, math, sys
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


class Net:
    """Weights by name, and the layers that look them up."""

    def __init__(self, weights):
        self.w = weights

    def linear(self, n, x):
        return F.linear(x, self.w[n + ".weight"], self.w.get(n + ".bias"))

    def conv(self, n, x, stride=1):
        w = self.w[n + ".weight"]
        return F.conv2d(x, w, self.w[n + ".bias"], stride=stride, padding=w.shape[-1] // 2)

    def group(self, n, x, groups, eps):
        return F.group_norm(x, groups, self.w[n + ".weight"], self.w[n + ".bias"], eps)

    def layer(self, n, x):
        return F.layer_norm(x, x.shape[-1:], self.w[n + ".weight"], self.w[n + ".bias"], 1e-5)

    def attend(self, n, x, text, width, bias=None):
        q, k, v = self.linear(n + ".to_q", x), self.linear(n + ".to_k", text), self.linear(n + ".to_v", text)
        b, t, d = q.shape
        q, k, v = (y.reshape(b, -1, d // width, width).permute(0, 2, 1, 3) for y in (q, k, v))
        logits = q @ k.transpose(-1, -2) / math.sqrt(width)
        if bias is not None:
            logits = logits + bias
        out = (torch.softmax(logits.float(), -1).to(v.dtype) @ v).permute(0, 2, 1, 3).reshape(b, t, d)
        return self.linear(n + ".to_out.0", out)

    def mlp(self, n, x):
        return self.linear(n + ".net.2", F.gelu(self.linear(n + ".net.0.proj", x), approximate="tanh"))

    def gated(self, n, x):
        h, gate = self.linear(n + ".net.0.proj", x).chunk(2, -1)
        return self.linear(n + ".net.2", h * F.gelu(gate))

    def two(self, n, x):
        return self.linear(n + ".linear_2", F.silu(self.linear(n + ".linear_1", x)))


def sinusoid(t, width, shift, dtype):
    half = width // 2
    f = torch.exp(-math.log(10000) * torch.arange(half, device=t.device, dtype=torch.float32) / (half - shift))
    a = t.float()[:, None] * f[None]
    return torch.cat([a.cos(), a.sin()], -1).to(dtype)


def positions(rows, columns, width, base, scale, like):
    """Columns in the first half of the width, rows in the second; sines, then cosines."""
    def one(p):
        o = 1 / 10000 ** (torch.arange(width // 4, dtype=torch.float64) / (width // 4))
        return torch.cat([torch.sin(p[:, None] * o), torch.cos(p[:, None] * o)], -1)
    y = torch.arange(rows, dtype=torch.float64) / (rows / base) / scale
    x = torch.arange(columns, dtype=torch.float64) / (columns / base) / scale
    table = torch.cat([one(x)[None].expand(rows, -1, -1), one(y)[:, None].expand(-1, columns, -1)], -1)
    return table.reshape(rows * columns, width).to(like)


def patchify(n, x, patch, base, scale):
    w = n.w["pos_embed.proj.weight"]
    h = F.conv2d(x, w, n.w["pos_embed.proj.bias"], stride=patch)
    rows, columns = h.shape[2:]
    return h.flatten(2).transpose(1, 2) + positions(rows, columns, w.shape[0], base, scale, x), rows, columns


def unpatchify(h, rows, columns, patch, channels, keep):
    h = h.reshape(h.shape[0], rows, columns, patch, patch, channels)
    return torch.einsum("nhwpqc->nchpwq", h).reshape(h.shape[0], channels, rows * patch, columns * patch)[:, :keep]


def norm(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


def dit(n, i, layers=4, width=64, patch=2):
    x, rows, columns = patchify(n, i["x"], patch, 16, 1)
    s = sinusoid(i["times"], 256, 1, x.dtype)

    def c(k):
        e = f"transformer_blocks.{k}.norm1.emb."
        return F.silu(n.two(e + "timestep_embedder", s) + n.w[e + "class_embedder.embedding_table.weight"][i["labels"]])
    for k in range(layers):
        b = f"transformer_blocks.{k}."
        m = n.linear(b + "norm1.linear", c(k)).chunk(6, -1)
        h = norm(x, m[0], m[1])
        x = x + m[2][:, None] * n.attend(b + "attn1", h, h, width)
        x = x + m[5][:, None] * n.mlp(b + "ff", norm(x, m[3], m[4]))
    shift, scale = n.linear("proj_out_1", c(0)).chunk(2, -1)
    return {"prediction": unpatchify(n.linear("proj_out_2", norm(x, shift, scale)), rows, columns, patch, 8, 4)}


def pixart(n, i, layers=3, width=72, patch=2):
    x, rows, columns = patchify(n, i["x"], patch, 64, 2)
    a = "adaln_single.emb."
    d, z = x.dtype, i["sizes"]
    t = n.two(a + "timestep_embedder", sinusoid(i["times"], 256, 0, d))
    t = t + torch.cat([n.two(a + "resolution_embedder", sinusoid(z[:, :2].reshape(-1), 256, 0, d)).reshape(len(z), -1),
                       n.two(a + "aspect_ratio_embedder", sinusoid(z[:, 2], 256, 0, d))], -1)
    six = n.linear("adaln_single.linear", F.silu(t)).reshape(len(t), 6, -1)
    text = n.linear("caption_projection.linear_2",
                    F.gelu(n.linear("caption_projection.linear_1", i["states"]), approximate="tanh"))
    for k in range(layers):
        b = f"transformer_blocks.{k}."
        m = (n.w[b + "scale_shift_table"][None] + six).unbind(1)
        h = norm(x, m[0], m[1])
        x = x + m[2][:, None] * n.attend(b + "attn1", h, h, width)
        x = x + n.attend(b + "attn2", x, text, width, i["mask"])
        x = x + m[5][:, None] * n.mlp(b + "ff", norm(x, m[3], m[4]))
    shift, scale = (n.w["scale_shift_table"][None] + t[:, None]).unbind(1)
    return {"prediction": unpatchify(n.linear("proj_out", norm(x, shift, scale)), rows, columns, patch, 8, 4)}


def resnet(n, p, x, groups, eps, time=None):
    h = n.conv(p + ".conv1", F.silu(n.group(p + ".norm1", x, groups, eps)))
    if time is not None:
        h = h + n.linear(p + ".time_emb_proj", F.silu(time))[:, :, None, None]
    h = n.conv(p + ".conv2", F.silu(n.group(p + ".norm2", h, groups, eps)))
    return h + (n.conv(p + ".conv_shortcut", x) if p + ".conv_shortcut.weight" in n.w else x)


def unet(n, i, first=64, width=64, groups=32, levels=3, resnets=2):
    d = i["x"].dtype
    time = n.two("time_embedding", sinusoid(i["times"], first, 0, d))
    sizes = sinusoid(i["sizes"].reshape(-1), 256, 0, d).reshape(len(i["sizes"]), -1)
    time = time + n.two("add_embedding", torch.cat([i["pooled"], sizes], -1))

    def transformer(p, x):
        if p + ".norm.weight" not in n.w:
            return x
        b, c, rows, columns = x.shape
        h = n.linear(p + ".proj_in", n.group(p + ".norm", x, groups, 1e-6).permute(0, 2, 3, 1).reshape(b, -1, c))
        k = 0
        while f"{p}.transformer_blocks.{k}.norm1.weight" in n.w:
            t = f"{p}.transformer_blocks.{k}."
            y = n.layer(t + "norm1", h)
            h = h + n.attend(t + "attn1", y, y, width)
            h = h + n.attend(t + "attn2", n.layer(t + "norm2", h), i["states"], width)
            h = h + n.gated(t + "ff", n.layer(t + "norm3", h))
            k += 1
        return x + n.linear(p + ".proj_out", h).reshape(b, rows, columns, c).permute(0, 3, 1, 2)

    h = n.conv("conv_in", i["x"])
    skips = [h]
    for level in range(levels):
        p = f"down_blocks.{level}."
        for j in range(resnets):
            h = transformer(f"{p}attentions.{j}", resnet(n, f"{p}resnets.{j}", h, groups, 1e-5, time))
            skips.append(h)
        if level < levels - 1:
            h = n.conv(p + "downsamplers.0.conv", h, 2)
            skips.append(h)
    h = resnet(n, "mid_block.resnets.0", h, groups, 1e-5, time)
    h = resnet(n, "mid_block.resnets.1", transformer("mid_block.attentions.0", h), groups, 1e-5, time)
    for level in range(levels):
        p = f"up_blocks.{level}."
        for j in range(resnets + 1):
            h = resnet(n, f"{p}resnets.{j}", torch.cat([h, skips.pop()], 1), groups, 1e-5, time)
            h = transformer(f"{p}attentions.{j}", h)
        if level < levels - 1:
            h = n.conv(p + "upsamplers.0.conv", F.interpolate(h, scale_factor=2.0, mode="nearest"))
    return {"prediction": n.conv("conv_out", F.silu(n.group("conv_norm_out", h, groups, 1e-5)))}


def vae(n, i, groups=32):
    h = n.conv("decoder.conv_in", n.conv("post_quant_conv", i["latents"] / 0.13025))
    p = "decoder.mid_block."
    h = resnet(n, p + "resnets.0", h, groups, 1e-6)
    b, c, rows, columns = h.shape
    y = n.group(p + "attentions.0.group_norm", h, groups, 1e-6).flatten(2).transpose(1, 2)
    h = h + n.attend(p + "attentions.0", y, y, c).transpose(1, 2).reshape(b, c, rows, columns)
    h = resnet(n, p + "resnets.1", h, groups, 1e-6)
    for level in range(4):
        p = f"decoder.up_blocks.{level}."
        for j in range(3):
            h = resnet(n, f"{p}resnets.{j}", h, groups, 1e-6)
        if level < 3:
            h = n.conv(p + "upsamplers.0.conv", F.interpolate(h, scale_factor=2.0, mode="nearest"))
    return {"image": n.conv("decoder.conv_out", F.silu(n.group("decoder.conv_norm_out", h, groups, 1e-6)))}


def clip(model, n, i):
    ours = set(n.w)
    theirs = set(model.state_dict())
    strip = 0 if ours & theirs else len("text_model.")  # some versions drop the prefix
    state = {(k[strip:] if k.startswith("text_model.") else k): v for k, v in n.w.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [k for k in missing if "position_ids" not in k]
    assert not missing and not unexpected, (missing, unexpected)
    some = next(iter(n.w.values()))
    model = model.to(some.device, some.dtype).eval()
    out = model(input_ids=i["ids"], output_hidden_states=True)
    pooled = out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output
    return {"penultimate": out.hidden_states[-2], "pooled": pooled}


def clip_l(n, i):
    from transformers import CLIPTextConfig, CLIPTextModel
    return clip(CLIPTextModel(CLIPTextConfig(
        vocab_size=1000, hidden_size=256, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=4,
        hidden_act="quick_gelu", bos_token_id=998, eos_token_id=999, pad_token_id=0)), n, i)


def clip_g(n, i):
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection
    return clip(CLIPTextModelWithProjection(CLIPTextConfig(
        vocab_size=1000, hidden_size=320, intermediate_size=1280, num_hidden_layers=5, num_attention_heads=5,
        projection_dim=192, hidden_act="gelu", bos_token_id=998, eos_token_id=999, pad_token_id=0)), n, i)


CASES = {"dit": dit, "pixart": pixart, "unet": unet, "clip-l": clip_l, "clip-g": clip_g, "vae": vae}


def cast(t, device, dtype, name):
    keep = not t.is_floating_point() or name in ("times", "sizes")
    return t.to(device) if keep else t.to(device, dtype)


@torch.no_grad()
def main():
    folder, device, out = sys.argv[1:4]
    torch.manual_seed(0)
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu"
    rows, worst = [], 0
    for case, compute in CASES.items():
        try:
            file = load_file(f"{folder}/{case}.safetensors")
            weights = {k[2:]: v for k, v in file.items() if k.startswith("w.")}
            inputs = {k[3:]: v for k, v in file.items() if k.startswith("in.")}
            results = {}
            for kind, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
                net = Net({k: v.to(device, dtype) for k, v in weights.items()})
                own = compute(net, {k: cast(v, device, dtype, k) for k, v in inputs.items()})
                results[kind] = {k: v.float().cpu() for k, v in own.items()}
            for k, reference in results["f32"].items():
                deviation = reference.std().item()
                off = {kind: file[f"{kind}.{k}"] - reference for kind in ("f32", "bf16")}
                error = {kind: d.pow(2).mean().sqrt().item() / deviation for kind, d in off.items()}
                rounding = (results["bf16"][k] - reference).pow(2).mean().sqrt().item() / deviation
                ok = error["f32"] < 1e-4 and error["bf16"] < 1.5 * rounding
                rows.append({"case": case, "output": k, "parameters": sum(v.numel() for v in weights.values()),
                             "f32": error["f32"], "f32Max": off["f32"].abs().max().item() / deviation, "bf16": error["bf16"], "torchBf16": rounding, "ok": ok})
        except Exception as e:  # one failing case must not hide the others
            rows.append({"case": case, "error": f"{type(e).__name__}: {e}", "ok": False})
    print(f"{'case':8} {'output':12} {'parameters':>11} {'f32':>9} {'bf16':>9} {'torch bf16':>10}")
    for r in rows:
        if "error" in r:
            print(f"{r['case']:8} {r['error'][:300]}")
        else:
            print(f"{r['case']:8} {r['output']:12} {r['parameters']:11} {r['f32']:9.1e} {r['bf16']:9.1e} {r['torchBf16']:10.1e}"
                  + ("" if r["ok"] else "  TOO LARGE"))
    with open(out, "w") as f:
        json.dump({"device": name, "torch": torch.__version__, "cuda": torch.version.cuda, "rows": rows}, f, indent=1)
    sys.exit(0 if rows and all(r["ok"] for r in rows) else 1)


main()
