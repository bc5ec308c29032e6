package io.spillway.diffusion.model;

import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.List;

/// The sizes of a UNet of SDXL's family.
///
/// **Source:** Podell et al., "SDXL", table 1; names as in diffusers' UNet2DConditionModel.
///
/// @param widths channels of each level, finest first
/// @param depths transformer blocks in each attention of a level, 0 for none; the middle has the
///   last level's
/// @param resnets residual blocks on the way down; one more on the way up
/// @param headWidth channels of one attention head
/// @param context width of the text states, 0 for no cross-attention
/// @param added width of pooled text and size embeddings, 0 for none
/// @param classes class labels added to the time embedding, 0 for none
/// @param groups of every group norm
public record UnetConfig(
    int channels,
    List<Integer> widths,
    List<Integer> depths,
    int resnets,
    int headWidth,
    int context,
    int added,
    int classes,
    int groups) {
  /// Stable Diffusion XL's base model.
  public static final UnetConfig SDXL =
      new UnetConfig(4, List.of(320, 640, 1280), List.of(0, 2, 10), 2, 64, 2048, 2816, 0, 32);

  public UnetConfig {
    widths = List.copyOf(widths);
    depths = List.copyOf(depths);
    if (widths.isEmpty() || widths.size() != depths.size()) {
      throw SpillwayException.badInput(
          "UNet with %d level widths and %d depths: one depth a level is needed",
          widths.size(), depths.size());
    }
    for (int i = 0; i < widths.size(); i++) {
      int w = widths.get(i);
      if (w % groups != 0 || (depths.get(i) > 0 && w % headWidth != 0)) {
        throw SpillwayException.badInput(
            "UNet level of %d channels is no multiple of %d groups and heads of %d",
            w, groups, headWidth);
      }
    }
  }

  int levels() {
    return widths.size();
  }

  int timeWidth() {
    return 4 * widths.getFirst();
  }

  /// Channels that each residual block on the way up takes in: its input and its skip.
  ///
  /// @param level counted from the coarsest
  List<int[]> upInputs(int level) {
    int own = widths.get(levels() - 1 - level);
    int before = level == 0 ? own : widths.get(levels() - level);
    int finer = widths.get(Math.max(0, levels() - 2 - level));
    List<int[]> inputs = new ArrayList<>();
    for (int j = 0; j <= resnets; j++) {
      inputs.add(new int[] {j == 0 ? before : own, j == resnets ? finer : own});
    }
    return inputs;
  }

  /// Every parameter under its diffusers name.
  public List<ParameterShape> parameters() {
    Shapes s = new Shapes();
    int first = widths.getFirst();
    int time = timeWidth();
    s.convolution("conv_in", channels, first, 3);
    s.linear("time_embedding.linear_1", first, time).linear("time_embedding.linear_2", time, time);
    if (added > 0) {
      s.linear("add_embedding.linear_1", added, time).linear("add_embedding.linear_2", time, time);
    }
    if (classes > 0) {
      s.parameter("class_embedding.weight", classes + 1, time);
    }
    int in = first;
    for (int i = 0; i < levels(); i++) {
      int out = widths.get(i);
      for (int j = 0; j < resnets; j++) {
        resnet(s, "down_blocks." + i + ".resnets." + j, in, out);
        attention(s, "down_blocks." + i + ".attentions." + j, out, depths.get(i));
        in = out;
      }
      if (i < levels() - 1) {
        s.convolution("down_blocks." + i + ".downsamplers.0.conv", out, out, 3);
      }
    }
    resnet(s, "mid_block.resnets.0", in, in);
    attention(s, "mid_block.attentions.0", in, depths.getLast());
    resnet(s, "mid_block.resnets.1", in, in);
    for (int i = 0; i < levels(); i++) {
      int out = widths.get(levels() - 1 - i);
      List<int[]> inputs = upInputs(i);
      for (int j = 0; j < inputs.size(); j++) {
        resnet(s, "up_blocks." + i + ".resnets." + j, inputs.get(j)[0] + inputs.get(j)[1], out);
        attention(s, "up_blocks." + i + ".attentions." + j, out, depths.get(levels() - 1 - i));
      }
      if (i < levels() - 1) {
        s.convolution("up_blocks." + i + ".upsamplers.0.conv", out, out, 3);
      }
    }
    return s.norm("conv_norm_out", first).convolution("conv_out", first, channels, 3).list();
  }

  private void resnet(Shapes s, String name, int in, int out) {
    s.norm(name + ".norm1", in)
        .convolution(name + ".conv1", in, out, 3)
        .linear(name + ".time_emb_proj", timeWidth(), out)
        .norm(name + ".norm2", out)
        .convolution(name + ".conv2", out, out, 3);
    if (in != out) {
      s.convolution(name + ".conv_shortcut", in, out, 1);
    }
  }

  private void attention(Shapes s, String name, int width, int depth) {
    if (depth == 0) {
      return;
    }
    s.norm(name + ".norm", width).linear(name + ".proj_in", width, width);
    for (int k = 0; k < depth; k++) {
      String block = name + ".transformer_blocks." + k;
      s.norm(block + ".norm1", width);
      projections(s, block + ".attn1", width, width);
      if (context > 0) {
        s.norm(block + ".norm2", width);
        projections(s, block + ".attn2", width, context);
      }
      s.norm(block + ".norm3", width)
          .linear(block + ".ff.net.0.proj", width, 8L * width)
          .linear(block + ".ff.net.2", 4L * width, width);
    }
    s.linear(name + ".proj_out", width, width);
  }

  private static void projections(Shapes s, String name, int width, int from) {
    s.linear(name + ".to_q", width, width, false)
        .linear(name + ".to_k", from, width, false)
        .linear(name + ".to_v", from, width, false)
        .linear(name + ".to_out.0", width, width);
  }

  /// Where one forward pass over that size may exchange something.
  public List<Site> sites(int rows, int columns) {
    return new UnetSites(this, rows, columns).list();
  }
}
