package io.spillway.longcontext.own;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/// PROTOTYPE
public final class OwnTrainer {
  public static void main(String[] args) {
    int hidden = Integer.getInteger("d", 128);
    int layers = Integer.getInteger("layers", 4);
    double peak = Double.parseDouble(System.getProperty("lr", "2e-3"));
    int[] lengths = {96, 160, 256, 512};
    int[] until = {2500, 4500, 7000, 10000};
    int[] tokens = {2048, 2560, 4096, 4096};
    java.nio.file.Path file = java.nio.file.Path.of(System.getProperty("out"));
    io.spillway.tensor.Torch.threads(Integer.getInteger("threads", 1));
    OwnVocabulary vocabulary = new OwnVocabulary();
    DecoderConfig config = OwnModel.config(vocabulary, hidden, layers, 512);
    System.out.println("parameters " + config.parameters());
    TensorHolder holder = new TensorHolder();
    Map<String, Tensor> weights = new LinkedHashMap<>();
    Seeds seeds = new Seeds(1);
    RandomGenerator init = seeds.stream("init");
    try (TensorScope scope = TensorScope.open()) {
      config
          .shapes()
          .forEach(
              (name, shape) -> {
                int n = 1;
                for (long s : shape) n *= (int) s;
                float[] v = new float[n];
                double std =
                    shape.length == 1
                        ? 0
                        : name.contains("embed")
                            ? 0.05
                            : 1 / Math.sqrt(shape[1])
                                * (name.contains("o_proj") || name.contains("down_proj")
                                    ? 1 / Math.sqrt(2.0 * layers)
                                    : 1);
                for (int i = 0; i < n; i++)
                  v[i] = shape.length == 1 ? 1 : (float) (init.nextGaussian() * std);
                Tensor t = holder.hold(Tensors.of(v, shape));
                t.set_requires_grad(true);
                weights.put(name, t);
              });
    }
    Decoder decoder = new Decoder(config, weights);
    TrainingRows rows = new TrainingRows(vocabulary);
    List<Tensor> ps = new ArrayList<>(weights.values()), m = new ArrayList<>(), v = new ArrayList<>();
    try (TensorScope scope = TensorScope.open()) {
      for (Tensor p : ps) {
        m.add(holder.hold(torch.zeros_like(p.detach())));
        v.add(holder.hold(torch.zeros_like(p.detach())));
      }
    }
    int begin = 0;
    try {
    if (java.nio.file.Files.exists(file)) {
      try (var in = new java.io.DataInputStream(new java.io.BufferedInputStream(java.nio.file.Files.newInputStream(file), 1 << 20))) {
        begin = in.readInt();
        for (List<Tensor> list : List.of(ps, m, v)) for (Tensor t : list) {
          var seg = Tensors.segment(t.detach());
          byte[] b = in.readNBytes((int) seg.byteSize());
          java.lang.foreign.MemorySegment.copy(b, 0, seg, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, b.length);
        }
      }
    } } catch (java.io.IOException e) { throw new java.io.UncheckedIOException(e); }
    int total = until[until.length - 1];
    long start = System.nanoTime();
    double answer = 0, hit = 0, seen = 0;
    long counted = 0; for (int step = begin; step < total; step++) {
      int stage = 0;
      while (step >= until[stage]) stage++;
      int length = lengths[stage];
      int batch = tokens[stage] / length;
      RandomGenerator data = seeds.stream("data", step);
      counted += batch * length;
      long[] ids = new long[batch * length], targets = new long[batch * length];
      float[] w = new float[batch * length];
      double sum = 0; List<Long> at = new ArrayList<>();
      double copies = step < 1000 ? 0.4 : 0.1;
      for (int b = 0; b < batch; b++) {
        TrainingRows.Row row = rows.row(length, copies, data);
        for (int i = 0; i < length; i++) {
          ids[b * length + i] = row.ids()[i];
          float wi = row.weights()[i];
          if (wi > 0 && wi < 0.2f && data.nextInt(5) != 0) wi = 0; else if (wi > 0 && wi < 0.2f) wi *= 5;
          if (wi > 0) { at.add((long) b * length + i); targets[at.size() - 1] = row.ids()[i + 1]; w[at.size() - 1] = wi; sum += wi; }
        }
      }
      double lr =
          peak * Math.min(1, (step + 1) / 200.0)
              * (0.05 + 0.95 * 0.5 * (1 + Math.cos(Math.PI * step / total)));
      try (TensorScope scope = TensorScope.open()) {
        Tensor logits = decoder.logits(decoder.hidden(Tensors.of(ids, batch, length)).view(-1, hidden).index_select(0, Tensors.of(at.stream().mapToLong(x -> x).toArray(), at.size())));
        Tensor t = Tensors.of(java.util.Arrays.copyOf(targets, at.size()), at.size());
        Tensor nll =
            torch.log_softmax(logits, 1).gather(1, t.unsqueeze(1)).squeeze(1).neg();
        Tensor weight = Tensors.of(java.util.Arrays.copyOf(w, at.size()), at.size());
        Tensor loss = nll.mul(weight).sum().mul(new Scalar(1 / sum));
        loss.backward();
        Tensor isAnswer = weight.eq(new Scalar(1.0)).to(Tensors.scalarType(DType.F32));
        answer += nll.detach().mul(isAnswer).sum().item_float();
        hit += logits.detach().argmax().defined() ? logits.detach().argmax(new org.bytedeco.pytorch.LongOptional(1), false).eq(t).to(Tensors.scalarType(DType.F32)).mul(isAnswer).sum().item_float() : 0;
        seen += isAnswer.sum().item_float();
        try (var ng = io.spillway.tensor.NoGrad.begin()) {
          double norm = 0;
          for (Tensor p : ps) { double x = p.grad().norm().item_float(); norm += x * x; }
          double clip = Math.min(1, 1.0 / Math.sqrt(norm));
          double c1 = 1 - Math.pow(0.9, step + 1), c2 = 1 - Math.pow(0.95, step + 1);
          for (int i = 0; i < ps.size(); i++) {
            Tensor p = ps.get(i), g = p.grad().mul_(new Scalar(clip));
            m.get(i).mul_(new Scalar(0.9)).add_(g, new Scalar(0.1));
            v.get(i).mul_(new Scalar(0.95)).addcmul_(g, g, new Scalar(0.05));
            if (p.dim() > 1) p.mul_(new Scalar(1 - lr * 0.05));
            p.addcdiv_(m.get(i), v.get(i).sqrt().mul_(new Scalar(1 / Math.sqrt(c2))).add_(new Scalar(1e-8)), new Scalar(-lr / c1));
            g.zero_();
          }
        }
      }
      if ((step + 1) % 50 == 0) {
        System.out.printf("step %d len %d answer nll %.4f token acc %.4f  %.0f tok/s  %.0f s%n", step + 1, length, answer / seen, hit / seen,
            (double) counted / ((System.nanoTime() - start) / 1e9), (System.nanoTime() - t00) / 1e9);
        start = System.nanoTime(); counted = 0;
        if ((step + 1) % 250 == 0) {
          int next = step + 1;
          io.spillway.platform.AtomicFiles.writeStream(file, o -> {
            var out = new java.io.DataOutputStream(o);
            out.writeInt(next);
            for (List<Tensor> list : List.of(ps, m, v)) for (Tensor t : list) out.write(Tensors.segment(t.detach()).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
            out.flush();
          });
        }
        answer = hit = seen = 0;
      }
    }
  }
  static final long t00 = System.nanoTime();
}
