package io.spillway.longcontext.tasks;

import java.util.List;

/// The words of the generated texts. The vocabulary of our own model is made from them, so a change
/// here needs a new training.
public final class Lexicon {
  private Lexicon() {}

  public static final List<String> ADJECTIVES =
      words(
          """
          amber ancient bold brave bright broken calm clever cold cosy crisp dark deep dry dusty
          early eager fair fancy fast fierce fine flat fresh gentle giant glad golden grand hidden
          hollow honest icy jolly keen kind large late lazy light little lonely loud lucky mild
          modern narrow neat noble odd old pale plain proud quick quiet rapid rare rough round
          royal rusty sharp shiny silent silver simple slow small smart smooth soft solid strange
          strong sunny sweet swift tall tender thin tidy tiny vast warm wild wise wooden young
          """);

  public static final List<String> NOUNS =
      words(
          """
          anchor apple badger basket beacon bell bird boat book bottle bridge bucket candle
          canyon captain castle cat chair clock cloud coin comet compass copper cottage crow
          desert dolphin door dragon drum eagle engine falcon farmer feather fern field fish flag
          flute forest fox garden gate ghost glass goose grove hammer harbor hat hawk hill horse
          house island jacket jar judge kettle key king kite ladder lake lamp lantern leaf lemon
          lion maple market mask meadow mirror moon mountain nest oak ocean otter owl painter
          palace paper pearl pepper piano pilot planet pond poplar queen rabbit rain raven ribbon
          river road robin rocket rope sailor salmon scarf seal shadow shell ship shoe singer
          spider spoon star stone storm stream table teacher temple tiger tower train tree tulip
          turtle valley violin wagon wall watch whale wheel willow window winter wolf
          """);

  public static final List<String> VERBS =
      words(
          """
          admires avoids builds calls carries catches counts covers crosses draws enters fears
          finds follows greets guards guides helps holds joins keeps leaves likes loves meets
          misses moves opens paints passes pulls pushes reaches reads remembers saves sees sells
          shows touches trusts visits wants watches
          """);

  public static final List<String> PREPOSITIONS =
      words(
          """
          above across after around before behind below beside beyond by for from inside near
          of on over past through to toward under with without
          """);

  /// Words of questions, needles and sentence frames.
  public static final List<String> FRAME =
      words(
          """
          The the a A One one What what Which which is are Are was Remember remember It it that
          That pass key sequence digits digit special magic number numbers all All and mentioned
          in In text value values associated specified They they VAR variables assigned Find word
          words common most frequent Below list count Please Note note Your your My my Keep keep
          safe will be asked about Do not Do you need know Here here we go There there back again
          grass green sky blue sun yellow has have had counted some Some many Many Then then at At
          now Now day night But but or when When while every Every secret code open remains stays
          never forget writes Write down can also between times number's this This answer Answer
          I say said says who Who where Where only very much more than first last next two three
          """);

  private static List<String> words(String block) {
    return List.of(block.strip().split("\\s+"));
  }
}
