package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.PartialAttention;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Ulysses, ring attention and their mesh: strips with exact attention. `ulysses` neighbouring
/// ranks trade strips of all heads for all of their strips of some heads; among groups, keys and
/// values go round and partial results are joined by their log-sum-exp.
final class ExactStrips extends RankCooperation {
  private final Exchange exchange;
  private final Exchange heads;
  private final Exchange ring;
  private final TensorHolder holder = new TensorHolder();
  private final Bundles activations;
  private final Bundles moments;

  ExactStrips(Exchange exchange, Strategy.SequenceParallel mesh) {
    this.exchange = exchange;
    this.activations = new Bundles(exchange, holder);
    this.moments = new Bundles(exchange, holder);
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
    Tensor current = Ops.cat(List.of(k, v), 2).contiguous();
    long[] next = new long[rounds];
    long[] previous = new long[rounds];
    next[(ring.rank() + 1) % rounds] = current.numel();
    previous[(ring.rank() + rounds - 1) % rounds] = current.numel();
    PartialAttention sum = null;
    for (int round = 0; round < rounds; round++) {
      Tensor incoming = Strips.like(current, Tensors.shape(current));
      Exchange.Pending travels =
          round == rounds - 1
              ? Exchange.Pending.DONE
              : ring.allToAll(current.view(-1), next, incoming.view(-1), previous);
      Tensor[] kv = Ops.chunk(current, 2, 2);
      PartialAttention part =
          PartialAttention.of(
              queries, Ops.split(kv[0], headCount), Ops.split(kv[1], headCount), null);
      sum = sum == null ? part : sum.join(part);
      travels.await();
      current = incoming;
    }
    return Ops.merge(java.util.Objects.requireNonNull(sum).out());
  }

  @Override
  public Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
    if (padding == 0) {
      return Ops.convolve(x, weight, bias, stride, 0, 0);
    }
    Halos halos = new Halos(exchange.rank(), exchange.size(), false, padding, stride);
    Bundle.Place place = activations.single(halos.counts(halos.edge(x)), x);
    halos.pack(place, x);
    place.trade();
    return halos.convolve(place, x, weight, bias);
  }

  @Override
  public Tensor groupNorm(
      String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    Tensor own = Ops.moments(x, groups);
    Bundle.Place place = moments.single(Moments.counts(exchange, own.size(1), own.size(2)), own);
    Moments.pack(place, own);
    place.trade();
    return Ops.normalise(x, Moments.exact(place, own), own, groups, weight, bias, epsilon);
  }

  @Override
  Tensor gather(Tensor own) {
    return Strips.gatherRows(exchange, own);
  }

  @Override
  long bufferBytes() {
    return activations.bytes() + moments.bytes();
  }

  @Override
  public void close() {
    holder.close();
  }
}
