"""Compares the logits that Parity.java wrote with those of Python's transformers on the same folders.

    parity.py DIR OUT.json

A row is one family, device and element type: the largest difference over the largest logit, for one pass over all
tokens and for a prompt in chunks with three further tokens. The last column is what the element type alone does:
transformers in that type against transformers in f32 on the same device."""
import json
import math, pathlib, sys, traceback
import torch, transformers
from safetensors import safe_open

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def theirs(folder, device, dtype, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, attn_implementation="eager").to(device).eval()
    with torch.no_grad():
        return model(torch.tensor([ids], device=device), use_cache=False).logits[0].float().cpu()


def error(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def main(root, out):
    rows, failures = [], []
    print(f"{'model':16} {'device':6} {'type':5} {'one pass':>10} {'chunks':>10} {'type alone':>10}")
    for folder in sorted(p for p in pathlib.Path(root).iterdir() if (p / "config.json").exists()):
        ids = json.loads((folder / "ids.json").read_text())
        exact = {}
        for device in ("cpu", "cuda"):
            for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
                file = folder / f"ours-{device}-{name}.safetensors"
                if not file.exists():
                    continue
                try:
                    logits = theirs(folder, device, dtype, ids)
                    exact.setdefault(device, logits)
                    with safe_open(file, "pt") as f:
                        forward, session = f.get_tensor("forward"), f.get_tensor("session")
                        stepping = (f.metadata() or {}).get("stepping")
                    last = logits[len(ids) - session.shape[0]:]
                    row = dict(model=folder.name, device=device, type=name, forward=error(forward, logits),
                               session=error(session, last), typeAlone=error(logits, exact[device]), stepping=stepping)
                    rows.append(row)
                    print(f"{row['model']:16} {device:6} {name:5} {row['forward']:10.2e} {row['session']:10.2e} "
                          f"{row['typeAlone']:10.2e}  {stepping}", flush=True)
                    if not (math.isfinite(row["forward"]) and math.isfinite(row["session"])):
                        failures.append(f"{folder.name} {device} {name}: logits that are no numbers")
                except Exception as e:
                    traceback.print_exc(limit=3)
                    failures.append(f"{folder.name} {device} {name}: {e}")
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    pathlib.Path(out).write_text(json.dumps(dict(
        command="bench/gpu/parity.sh", gpu=gpu, torch=torch.__version__, transformers=transformers.__version__,
        rows=rows, failures=failures), indent=1) + "\n")
    for kind, limit in (("f32", 1e-3), ("bf16", 6e-2)):
        worst = max((max(r["forward"], r["session"]) for r in rows if r["type"] == kind), default=float("nan"))
        print(f"{kind}: largest error {worst:.2e}, limit {limit:.0e}: {'met' if worst <= limit and not failures else 'NOT MET'}")
    print(f"{len(failures)} failures; results: {out}")


main(*sys.argv[1:])
