package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.TensorHolder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Ulysses, ring attention and their mesh: strips with exact attention. `ulysses` neighbouring
/// ranks trade strips of all heads for all of their strips of some heads; among groups, keys and
/// values go round and partial results are joined by their log-sum-exp.
final class ExactStrips extends RankCooperation {
  private final Exchange exchange;
  private final Exchange heads;
  private final Exchange ring;
  private final TensorHolder holder = new TensorHolder();
  private final Map<String, Halos> halos = new HashMap<>();
  private final Map<String, Moments> moments = new HashMap<>();

  ExactStrips(Exchange exchange, Strategy.SequenceParallel mesh) {
    this.exchange = exchange;
    int u = mesh.ulysses();
    int r = mesh.ring();
    List<List<Integer>> rows = new ArrayList<>();
    List<List<Integer>> columns = new ArrayList<>();
    for (int i = 0; i < r; i++) {
      List<Integer> row = new ArrayList<>();
      for (int j = 0; j < u; j++) {
        row.add(i * u + j);
      }
      rows.add(row);
    }
    for (int j = 0; j < u; j++) {
      List<Integer> column = new ArrayList<>();
      for (int i = 0; i < r; i++) {
        column.add(i * u + j);
      }
      columns.add(column);
    }
    this.heads = u == 1 ? exchange : exchange.split(rows);
    this.ring = r == 1 ? exchange : exchange.split(columns);
    this.ulysses = u;
    this.rounds = r;
  }

  private final int ulysses;
  private final int rounds;

  @Override
  public Strip strip() {
    return new Strip(exchange.rank(), exchange.size());
  }

  @Override
  public Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int headCount) {
    if (ulysses == 1) {
      return around(q, k, v, headCount);
    }
    long width = q.size(2) / ulysses;
    Tensor mixed = dealHeads(Ops.cat(List.of(byHead(q), byHead(k), byHead(v)), 3));
    Tensor[] own = Ops.chunk(mixed, 3, 2);
    Tensor out = around(own[0], own[1], own[2], headCount / ulysses);
    // [batch, ulysses x tokens, width] -> the own strip of all heads
    long batch = q.size(0);
    long tokens = q.size(1);
    Tensor parts = out.view(batch, ulysses, tokens, width).permute(1, 0, 2, 3).contiguous();
    Tensor into = Strips.like(parts, ulysses, batch, tokens, width);
    heads.allToAll(parts, into).await();
    return into.permute(1, 2, 0, 3).reshape(batch, tokens, ulysses * width);
  }

  /// [batch, tokens, width] -> [ulysses, batch, tokens, width / ulysses].
  private Tensor byHead(Tensor x) {
    return x.view(x.size(0), x.size(1), ulysses, x.size(2) / ulysses).permute(2, 0, 1, 3);
  }

  /// Own strip of all heads -> all strips of own heads, [batch, ulysses x tokens, 3 width].
  private Tensor dealHeads(Tensor parts) {
    Tensor mine = parts.contiguous();
    Tensor into = Strips.like(mine, mine.size(0), mine.size(1), mine.size(2), mine.size(3));
    heads.allToAll(mine, into).await();
    return into.permute(1, 0, 2, 3).reshape(mine.size(1), ulysses * mine.size(2), mine.size(3));
  }

  /// Attention over the keys and values of all groups, which go round the ring.
  private Tensor around(Tensor q, Tensor k, Tensor v, int headCount) {
    if (rounds == 1) {
      return Ops.attention(q, k, v, headCount, null);
    }
    Tensor queries = Ops.split(q, headCount);
    double scale = 1 / Math.sqrt(q.size(2) / (double) headCount);
    Tensor current = Ops.cat(List.of(k, v), 2).contiguous();
    int next = (ring.rank() + 1) % rounds;
    int previous = (ring.rank() + rounds - 1) % rounds;
    Tensor sum = null; // [batch, heads, tokens, head width]
    Tensor weight = null; // log-sum-exp of the logits so far, [batch, heads, tokens, 1]
    for (int round = 0; round < rounds; round++) {
      Tensor incoming = null;
      Exchange.Pending arrives = Exchange.Pending.DONE;
      Exchange.Pending leaves = Exchange.Pending.DONE;
      if (round < rounds - 1) {
        incoming = Strips.like(current, current.size(0), current.size(1), current.size(2));
        arrives = ring.receive(incoming, previous);
        leaves = ring.send(current, next);
      }
      Tensor[] kv = Ops.chunk(current, 2, 2);
      Tensor logits =
          torch
              .matmul(queries, Ops.split(kv[0], headCount).transpose(2, 3))
              .mul(new Scalar(scale))
              .to(torch.ScalarType.Float);
      Tensor logSum = torch.logsumexp(logits, new long[] {-1}, true);
      Tensor part =
          torch.matmul(logits.sub(logSum).exp().to(q.scalar_type()), Ops.split(kv[1], headCount));
      if (sum == null || weight == null) {
        sum = part;
        weight = logSum;
      } else {
        Tensor share = torch.sigmoid(logSum.sub(weight)).to(q.scalar_type());
        sum = sum.add(part.sub(sum).mul(share));
        weight = torch.logaddexp(weight, logSum);
      }
      arrives.await();
      leaves.await();
      if (incoming != null) {
        current = incoming;
      }
    }
    return Ops.merge(java.util.Objects.requireNonNull(sum));
  }

  @Override
  public Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
    if (padding == 0) {
      return Ops.convolve(x, weight, bias, stride, 0, 0);
    }
    Halos remote =
        halos.computeIfAbsent(
            layer, _ -> new Halos.PointToPoint(exchange, holder, false, padding, stride));
    return remote.convolve(x, remote.fresh(x), weight, bias, stride);
  }

  @Override
  public Tensor groupNorm(
      String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    Tensor own = Strips.moments(x, groups);
    Moments remote = moments.computeIfAbsent(layer, _ -> new Moments(exchange, holder));
    return Strips.normalise(x, remote.exact(own), own, groups, weight, bias, epsilon);
  }

  @Override
  Tensor gather(Tensor own) {
    return Strips.gatherRows(exchange, own);
  }

  @Override
  long bufferBytes() {
    return halos.values().stream().mapToLong(Remote::bytes).sum()
        + moments.values().stream().mapToLong(Remote::bytes).sum();
  }

  @Override
  public void close() {
    holder.close();
  }
}
