import io.spillway.diffusion.latent.VaeConfig;
import io.spillway.diffusion.latent.VaeDecoder;
import io.spillway.diffusion.model.Alone;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.PixArt;
import io.spillway.diffusion.model.PixArtConfig;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.text.ClipConfig;
import io.spillway.diffusion.text.ClipEncoder;
import io.spillway.platform.Seeds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Runs every kind of image model on random weights and writes weights, inputs and outputs (f32 and bf16) as
/// FOLDER/CASE.safetensors, for diffusion-parity.py to compare with its own computation.
///
///     bench/gpu/spillway --bench DiffusionParity FOLDER DEVICE
final class DiffusionParity {
  private final Path folder;
  private final ComputeDevice device;

  private DiffusionParity(Path folder, ComputeDevice device) {
    this.folder = folder;
    this.device = device;
  }

  /// A model over weights, from named inputs to named outputs.
  private interface Case {
    Map<String, Tensor> run(Parameters p, Map<String, Tensor> inputs);
  }

  public static void main(String[] args) {
    ComputeDevice device = Devices.choose(args[1]);
    torch.globalContext().setAllowTF32CuBLAS(false);
    torch.globalContext().setAllowTF32CuDNN(false);
    Torch.seed(11);
    DiffusionParity all = new DiffusionParity(Path.of(args[0]), device);
    DitConfig dit = new DitConfig(4, 6, 64, 2, 4, 8, 32, 1000);
    all.denoiser("dit", dit.parameters(), p -> new Dit(dit, p), 4, 32, 32, Map.of("labels", labels(3, 1000)));
    PixArtConfig pixart = new PixArtConfig(3, 8, 72, 2, 4, 8, 128, 256, true);
    all.denoiser("pixart", pixart.parameters(), p -> new PixArt(pixart, p), 4, 64, 48, text());
    UnetConfig unet = new UnetConfig(4, List.of(64, 128, 256), List.of(0, 2, 4), 2, 64, 256, 6 * 256 + 128, 0, 32);
    all.denoiser("unet", unet.parameters(), p -> new Unet(unet, p), 4, 32, 48, sizedText());
    ClipConfig l = new ClipConfig(1000, 256, 4, 4, 1024, 77, ClipConfig.Activation.QUICK_GELU, 0, 999);
    all.encoder("clip-l", l);
    ClipConfig g = new ClipConfig(1000, 320, 5, 5, 1280, 77, ClipConfig.Activation.GELU, 192, 999);
    all.encoder("clip-g", g);
    VaeConfig vae = new VaeConfig(4, List.of(64, 128, 256, 256), 2, 32, 0.13025, 0, true);
    all.run(
        "vae",
        vae.parameters(),
        Map.of("latents", normal(2, 4, 24, 16)),
        (p, in) -> Map.of("image", new VaeDecoder(vae, p).decode(in.get("latents"))));
  }

  private void denoiser(
      String name,
      List<ParameterShape> shapes,
      java.util.function.Function<Parameters, Denoiser> model,
      int channels,
      int rows,
      int columns,
      Map<String, Tensor> condition) {
    Map<String, Tensor> inputs = new LinkedHashMap<>(condition);
    inputs.put("x", normal(3, channels, rows, columns));
    inputs.put("times", Tensors.of(new float[] {981, 437.5f, 3}, 3));
    run(
        name,
        shapes,
        inputs,
        (p, in) -> {
          Condition c =
              in.containsKey("labels")
                  ? new Condition.Labels(in.get("labels"))
                  : in.containsKey("pooled")
                      ? new Condition.SizedText(in.get("states"), in.get("pooled"), in.get("sizes"))
                      : new Condition.Text(in.get("states"), in.get("mask"), in.get("sizes"));
          Denoiser d = model.apply(p);
          return Map.of("prediction", d.predict(in.get("x"), in.get("times"), c, Alone.ALONE));
        });
  }

  private void encoder(String name, ClipConfig config) {
    int[][] ids = new int[3][77];
    long[] flat = new long[3 * 77];
    var random = new Seeds(5).stream(name);
    for (int b = 0; b < 3; b++) {
      int end = 10 + 20 * b;
      for (int t = 0; t < 77; t++) {
        ids[b][t] = t == end ? 999 : t < end ? random.nextInt(998) : 0;
        flat[b * 77 + t] = ids[b][t];
      }
    }
    run(
        name,
        config.parameters(),
        Map.of("ids", Tensors.of(flat, 3, 77)),
        (p, in) -> {
          ClipEncoder.Encoded e = new ClipEncoder(config, p).encode(ids);
          return Map.of("penultimate", e.penultimate(), "pooled", e.pooled());
        });
  }

  private void run(String name, List<ParameterShape> shapes, Map<String, Tensor> inputs, Case body) {
    try (Parameters master = Parameters.random(shapes, new Seeds(3));
        NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      // norms and biases that differ from one and zero
      for (String parameter : master.tensors().keySet()) {
        master.change(parameter, t -> t.add_(torch.randn_like(t).mul(new Scalar(0.05))));
      }
      Map<String, Tensor> file = new LinkedHashMap<>();
      master.tensors().forEach((n, t) -> file.put("w." + n, t));
      inputs.forEach((n, t) -> file.put("in." + n, t));
      for (DType type : List.of(DType.F32, DType.BF16)) {
        try (Parameters p = master.map((n, t) -> Tensors.to(t, device, type))) {
          Map<String, Tensor> own = new LinkedHashMap<>();
          inputs.forEach(
              (n, t) ->
                  own.put(
                      n,
                      Tensors.dtype(t) == DType.I64 || n.equals("times") || n.equals("sizes")
                          ? Tensors.to(t, device)
                          : Tensors.to(t, device, type)));
          body.run(p, own)
              .forEach(
                  (n, t) ->
                      file.put(
                          (type == DType.F32 ? "f32." : "bf16.") + n,
                          Tensors.to(Tensors.to(t, Devices.cpu()), DType.F32)));
        }
      }
      Weights.save(folder.resolve(name + ".safetensors"), file, Map.of("device", device.toString()));
      System.out.println(name + ": written");
    } catch (RuntimeException e) {
      System.out.println(name + ": failed: " + e);
      e.printStackTrace();
    }
  }

  private static Tensor normal(long... shape) {
    return torch.randn(shape);
  }

  private static Tensor labels(int count, int classes) {
    return Tensors.of(new long[] {1, classes / 2, classes}, count);
  }

  /// The last sample's text is shorter; its padding is masked.
  private static Map<String, Tensor> text() {
    float[] mask = new float[3 * 20];
    for (int t = 12; t < 20; t++) {
      mask[2 * 20 + t] = -10_000;
    }
    return Map.of(
        "states", normal(3, 20, 256),
        "mask", Tensors.of(mask, 3, 1, 1, 20),
        "sizes", Tensors.of(new float[] {512, 384, 512 / 384f, 512, 384, 512 / 384f, 1024, 1024, 1}, 3, 3));
  }

  private static Map<String, Tensor> sizedText() {
    return Map.of(
        "states", normal(3, 77, 256),
        "pooled", normal(3, 128),
        "sizes",
            Tensors.of(
                new float[] {256, 384, 0, 0, 256, 384, 1024, 1024, 0, 0, 1024, 1024, 512, 512, 64, 0, 1024, 1024}, 3, 6));
  }
}
