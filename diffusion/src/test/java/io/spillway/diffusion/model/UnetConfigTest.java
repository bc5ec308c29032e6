package io.spillway.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.latent.VaeConfig;
import io.spillway.diffusion.text.ClipConfig;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// SDXL's UNet by its shapes alone; no weights are allocated.
final class UnetConfigTest {
  private static final List<ParameterShape> SDXL = UnetConfig.SDXL.parameters();

  @Test
  void sdxlHasItsPublishedParameters() {
    assertThat(SDXL).hasSize(1680);
    assertThat(ParameterShape.total(SDXL)).isEqualTo(2_567_463_684L);
  }

  @Test
  void namesAreDiffusersNamesAndUnique() {
    Set<String> names = SDXL.stream().map(ParameterShape::name).collect(Collectors.toSet());
    assertThat(names)
        .hasSize(1680)
        .contains(
            "conv_in.weight",
            "time_embedding.linear_1.weight",
            "add_embedding.linear_2.bias",
            "down_blocks.0.resnets.1.time_emb_proj.weight",
            "down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k.weight",
            "down_blocks.1.downsamplers.0.conv.bias",
            "mid_block.attentions.0.transformer_blocks.9.ff.net.0.proj.weight",
            "up_blocks.0.resnets.2.conv_shortcut.weight",
            "up_blocks.1.upsamplers.0.conv.weight",
            "up_blocks.2.resnets.0.norm1.weight",
            "conv_norm_out.bias",
            "conv_out.weight")
        .doesNotContain("down_blocks.0.attentions.0.norm.weight")
        .doesNotContain("down_blocks.2.downsamplers.0.conv.weight");
  }

  @Test
  void ranksMeetInThirtyNineConvolutionsFortySixNormsAndSeventyAttentions() {
    List<Site> sites = UnetConfig.SDXL.sites(128, 128);
    assertThat(sites.stream().filter(Site.Convolution.class::isInstance)).hasSize(39);
    assertThat(sites.stream().filter(Site.Norm.class::isInstance)).hasSize(46);
    assertThat(sites.stream().filter(Site.Attention.class::isInstance)).hasSize(70);
  }

  @Test
  void ditXl2HasThePapersSizes() {
    DitConfig xl = DitConfig.paper("XL", 2, 32);
    assertThat(xl.width()).isEqualTo(1152);
    long shared = 675_129_632; // Peebles and Xie's released XL/2, one time and class embedding
    long embeddings = 256L * 1152 + 1152 + 1152L * 1152 + 1152 + 1001L * 1152;
    // diffusers repeats the embeddings in each of the 28 blocks and leaves positions out
    long positions = 256L * 1152;
    assertThat(ParameterShape.total(xl.parameters()))
        .isEqualTo(shared - positions + 27 * embeddings);
  }

  @Test
  void theOtherComponentsHaveTheirPublishedParameters() {
    assertThat(ParameterShape.total(PixArtConfig.ALPHA_512.parameters())).isEqualTo(610_856_096L);
    // at 1024 two embeddings of 384 numbers join: 2 (256 x 384 + 384 + 384² + 384)
    assertThat(ParameterShape.total(PixArtConfig.ALPHA_1024.parameters()))
        .isEqualTo(610_856_096L + 2 * (256L * 384 + 384 + 384L * 384 + 384));
    assertThat(ParameterShape.total(ClipConfig.CLIP_L.parameters())).isEqualTo(123_060_480L);
    assertThat(ParameterShape.total(ClipConfig.OPEN_CLIP_BIG_G.parameters()))
        .isEqualTo(694_659_840L);
    // the autoencoder's 83,653,863 without its encoder (34,163,592) and quant_conv (72)
    assertThat(ParameterShape.total(VaeConfig.SDXL.parameters()))
        .isEqualTo(83_653_863L - 34_163_592 - 72);
  }
}
