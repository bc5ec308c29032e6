"""Compares the device's Adam, as TrainingParity wrote it down, with torch.optim.AdamW (plain and fused) on the same gradients.
usage: adam.py FOLDER OUT.json"""
import json, pathlib, sys
import torch

folder = pathlib.Path(sys.argv[1])
settings = json.loads((folder / "settings.json").read_text())
n, steps = settings["n"], settings["steps"]
read = lambda name: torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=torch.float32)
start, gradients, end = read("start.f32"), read("gradients.f32").view(steps, n), read("end.f32")
device = "cuda" if torch.cuda.is_available() else "cpu"
out = {"torch": torch.__version__, "device": torch.cuda.get_device_name(0) if device == "cuda" else "cpu", "n": n, "steps": steps}
for fused in (False, True):
    p = start.clone().to(device).requires_grad_(True)
    options = dict(lr=settings["lr"], betas=settings["betas"], eps=settings["eps"], weight_decay=settings["weight_decay"])
    optimizer = torch.optim.AdamW([p], fused=fused, foreach=False, **options)
    for g in gradients:
        p.grad = g.to(device)
        optimizer.step()
    theirs = p.detach().cpu()
    ulp = torch.nextafter(theirs.abs(), torch.tensor(float("inf"))) - theirs.abs()
    far = ((theirs - end).abs() / ulp.clamp_min(2.0**-149))
    half = (theirs.to(torch.bfloat16).view(torch.int16).int() - end.to(torch.bfloat16).view(torch.int16).int()).abs()
    moved = (theirs - start).abs().mean()
    out["fused" if fused else "plain"] = {
        "largest_difference": float((theirs - end).abs().max()),
        "largest_relative_to_mean_move": float((theirs - end).abs().max() / moved),
        "median_ulp_f32": float(far.median()), "largest_ulp_f32": float(far.max()),
        "bf16_weights_equal_share": float((half == 0).float().mean()), "bf16_largest_ulp": int(half.max())}
print(json.dumps(out, indent=1))
pathlib.Path(sys.argv[2]).write_text(json.dumps(out, indent=1))
