"""Tables and the joint JSON of training.sh. usage: training.py show FILE | training.py merge FOLDER OUT.json"""
import json, pathlib, platform, re, subprocess, sys


def read(file):
    if not pathlib.Path(file).exists():
        return None
    text = re.sub(r"^\[rank \d+\] ", "", pathlib.Path(file).read_text(), flags=re.M)
    begin = text.find("{")
    try:
        return json.JSONDecoder().raw_decode(text[begin:])[0] if begin >= 0 else None
    except ValueError:
        return None


def show(file):
    data = read(file)
    if data and "parts" in data:
        for name, part in data["parts"].items():
            print(f"-- {name}")
            table(part)
    elif data:
        table(data)


def table(data):
    if "schedules" not in data:
        print(data.get("error", "nothing"))
        return
    together, alone = data["rates_together"], data["rates_alone"]
    gb = lambda x: f"{x / 1e9:.1f}"
    print(f"{data['parameters']:,} parameters, {data['owned_parameters']:,} updated here; budget {data['device_bytes'] / 2**30:.1f} GiB, "
          f"peak {data['device_peak_bytes'] / 2**30:.1f} GiB; passes alone {1e3 * data['passes_seconds']:.0f} ms")
    for name, r in (("all at once", together), ("alone", alone)):
        print(f"rates {name}: up {gb(r['hostToDevice'])} down {gb(r['deviceToHost'])} GB/s, CPU {gb(r['cpuUpdate'])}, "
              f"device {gb(r['deviceUpdate'])} Gparam/s")
    print("schedule      cpu  strm resid | step ms predicted error% | forward backward update bare | Gparam/s | up/down GB/s in the bare update | GiB dev host | weights")
    for s in data["schedules"]:
        r = s["row"]
        ms = lambda x: f"{1e3 * x:7.0f}"
        print(f"{s['name']:13s} {r['cpu']:.2f} {r['streamed']:.2f} {r['resident']:.2f} | {ms(s['median_seconds'])} {ms(r['predictedSeconds'])} "
              f"{s['error_percent']:+6.1f} | {ms(r['forwardSeconds'])} {ms(r['backwardSeconds'])} {ms(r['updateSeconds'])} {ms(r['bareUpdateSeconds'])} | "
              f"{s['update_parameters_per_second'] / 1e9:6.2f} | {gb(s['up_bytes_per_second_of_update'])} {gb(s['down_bytes_per_second_of_update'])} | "
              f"{r['deviceBytes'] / 2**30:.1f} {r['hostBytes'] / 2**30:.1f} | {r['weightsChecksum']}")
    for name, why in data["refused"].items():
        print(f"{name}: {why}")
    times = {s["name"]: s["median_seconds"] for s in data["schedules"]}
    if "auto" in times and "zero-offload" in times:
        print(f"zero-offload / auto = {times['zero-offload'] / times['auto']:.2f}")
    sums = {s["row"]["weightsChecksum"] for s in data["schedules"]} - {""}
    if sums:
        print("weights after the run:", "the same under every schedule" if len(sums) == 1 else f"{len(sums)} different (passes are not deterministic)")


def command(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)


def merge(folder, out):
    folder = pathlib.Path(folder)
    parts = {}
    for file in sorted(folder.glob("*.err")):
        name = file.stem
        rc = folder / f"{name}.rc"
        parts[name] = {
            "exit": int(rc.read_text()) if rc.exists() else None,
            "result": read(folder / f"{name}.json") if (folder / f"{name}.json").exists()
            else read(folder / f"{name}.txt") if (folder / f"{name}.txt").exists() else None,
            "errors": file.read_text()[-3000:]}
    machine = {
        "gpu": command("nvidia-smi", "--query-gpu=name,memory.total,driver_version,pcie.link.gen.current,pcie.link.width.current", "--format=csv,noheader"),
        "cpu": [l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")][:1],
        "cores": command("nproc"), "memory": command("sh", "-c", "grep MemTotal /proc/meminfo"), "kernel": platform.release(),
        "java": command("sh", "-c", "$JAVA --version 2>/dev/null || java --version")}
    pathlib.Path(out).write_text(json.dumps({"machine": machine, "parts": parts}, indent=1))


if sys.argv[1] == "show":
    show(sys.argv[2])
else:
    merge(sys.argv[2], sys.argv[3])
