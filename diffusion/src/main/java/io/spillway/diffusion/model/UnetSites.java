package io.spillway.diffusion.model;

import java.util.ArrayList;
import java.util.List;

/// Walks a UNet as its forward pass does and notes where ranks may exchange something.
final class UnetSites {
  private final UnetConfig config;
  private final List<Site> sites = new ArrayList<>();
  private int rows;
  private int columns;

  UnetSites(UnetConfig config, int rows, int columns) {
    this.config = config;
    this.rows = rows;
    this.columns = columns;
  }

  List<Site> list() {
    int imageRows = rows;
    int imageColumns = columns;
    int width = config.widths().getFirst();
    for (int i = 0; i < config.levels(); i++) {
      for (int j = 0; j < config.resnets(); j++) {
        resnet("down_blocks." + i + ".resnets." + j, width, config.widths().get(i));
        width = config.widths().get(i);
        attention("down_blocks." + i + ".attentions." + j, width, config.depths().get(i));
      }
      if (i < config.levels() - 1) {
        convolution("down_blocks." + i + ".downsamplers.0.conv", width, 2);
        rows /= 2;
        columns /= 2;
      }
    }
    resnet("mid_block.resnets.0", width, width);
    attention("mid_block.attentions.0", width, config.depths().getLast());
    resnet("mid_block.resnets.1", width, width);
    for (int i = 0; i < config.levels(); i++) {
      int own = config.widths().get(config.levels() - 1 - i);
      List<int[]> inputs = config.upInputs(i);
      for (int j = 0; j < inputs.size(); j++) {
        resnet("up_blocks." + i + ".resnets." + j, inputs.get(j)[0] + inputs.get(j)[1], own);
        attention(
            "up_blocks." + i + ".attentions." + j,
            own,
            config.depths().get(config.levels() - 1 - i));
      }
      if (i < config.levels() - 1) {
        rows *= 2;
        columns *= 2;
        convolution("up_blocks." + i + ".upsamplers.0.conv", own, 1);
      }
    }
    sites.add(new Site.Norm("conv_norm_out", config.groups()));
    convolution("conv_out", config.widths().getFirst(), 1);
    sites.add(new Site.Output(config.channels(), imageRows, imageColumns));
    return sites;
  }

  private void convolution(String name, int channels, int stride) {
    sites.add(new Site.Convolution(name, channels, rows, columns, 1, stride));
  }

  private void resnet(String name, int in, int out) {
    sites.add(new Site.Norm(name + ".norm1", config.groups()));
    convolution(name + ".conv1", in, 1);
    sites.add(new Site.Norm(name + ".norm2", config.groups()));
    convolution(name + ".conv2", out, 1);
  }

  private void attention(String name, int width, int depth) {
    if (depth == 0) {
      return;
    }
    sites.add(new Site.Norm(name + ".norm", config.groups()));
    int tokens = rows * columns;
    for (int k = 0; k < depth; k++) {
      String block = name + ".transformer_blocks." + k;
      sites.add(new Site.Attention(block + ".attn1", tokens, width));
      sites.add(new Site.Sum(block + ".attn1.to_out.0", tokens, width));
      if (config.context() > 0) {
        sites.add(new Site.Sum(block + ".attn2.to_out.0", tokens, width));
      }
      sites.add(new Site.Sum(block + ".ff.net.2", tokens, width));
    }
  }
}
