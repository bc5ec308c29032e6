package io.spillway.tensor;

import io.spillway.platform.Machine;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.global.torch;

/// Finds the devices of this machine and chooses one. The choice is never silent: [#choose] hands
/// back a device whose text names what was taken and [#whyNoCuda] says what a GPU would need.
public final class Devices {
  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

  private Devices() {}

  /// Resolves `auto`, `cpu`, `cuda` or `cuda:N`. `auto` takes the first CUDA device (or that of
  /// `LOCAL_RANK`) if there is one, else the CPU.
  ///
  /// **Errors:** [io.spillway.platform.ErrorCode#NOT_AVAILABLE] when CUDA is asked for and absent.
  public static ComputeDevice choose(String wanted) {
    String name = wanted.toLowerCase(Locale.ROOT).strip();
    int gpus = cudaCount();
    if (name.equals("cpu")) {
      return cpu();
    }
    if (name.equals("auto")) {
      return gpus > 0 ? cuda(Math.floorMod(localRank(), gpus)) : cpu();
    }
    Matcher m = CUDA.matcher(name);
    if (!m.matches()) {
      throw SpillwayException.badInput("device '%s' is none of auto, cpu, cuda, cuda:N", wanted);
    }
    if (gpus == 0) {
      throw SpillwayException.notAvailable("device %s: %s; use --device cpu", name, whyNoCuda());
    }
    int index =
        m.group(1) == null ? Math.floorMod(localRank(), gpus) : Integer.parseInt(m.group(1));
    if (index >= gpus) {
      throw SpillwayException.notAvailable(
          "device %s: this machine has %d CUDA devices, 0 to %d", name, gpus, gpus - 1);
    }
    return cuda(index);
  }

  public static ComputeDevice cpu() {
    return new ComputeDevice(
        ComputeDevice.Kind.CPU, 0, Machine.current().cpu() + ", " + Torch.threads() + " threads");
  }

  /// Every device here, the CPU first.
  public static List<ComputeDevice> all() {
    List<ComputeDevice> all = new ArrayList<>();
    all.add(cpu());
    for (int i = 0; i < cudaCount(); i++) {
      all.add(cuda(i));
    }
    return all;
  }

  /// How many CUDA devices libtorch can use; 0 with the CPU natives.
  public static int cudaCount() {
    Torch.load();
    return torch.cuda_is_available() ? torch.cuda_device_count() : 0;
  }

  /// Why there is no CUDA device, in words that say how to mend it.
  public static String whyNoCuda() {
    if (!GpuNatives.onClassPath()) {
      return "libtorch's CUDA natives are not installed (the CPU ones are)";
    }
    if (!Files.exists(Path.of("/dev/nvidiactl"))) {
      return "no NVIDIA driver is loaded (/dev/nvidiactl is missing)";
    }
    return "libtorch finds no usable CUDA device; compare nvidia-smi and CUDA_VISIBLE_DEVICES";
  }

  /// Waits until everything queued on `device` is done; returns at once on the CPU.
  public static void synchronize(ComputeDevice device) {
    if (device.isCuda()) {
      torch.cuda_synchronize(device.index());
    }
  }

  private static ComputeDevice cuda(int index) {
    return new ComputeDevice(ComputeDevice.Kind.CUDA, index, GpuNatives.deviceName(index));
  }

  private static int localRank() {
    String text = System.getenv("LOCAL_RANK");
    try {
      return text == null ? 0 : Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput("LOCAL_RANK=%s is no whole number", text);
    }
  }
}
