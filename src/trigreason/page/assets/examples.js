/** Questions of the kinds that the bundled pair was trained on. */
export const EXAMPLES = [
  "Alice, Bob, Claire, Dave, and Eve are playing a game. At the start of the game, they are each holding a ball: Alice has a blue ball, Bob has a brown ball, Claire has a orange ball, Dave has a white ball, and Eve has a green ball.\n" +
    "As the game progresses, pairs of players trade balls. First, Eve and Claire swap balls. Then, Dave and Eve swap balls. Then, Alice and Dave swap balls. Then, Alice and Claire swap balls. Finally, Bob and Alice swap balls. At the end of the game, Alice has the\n" +
    "Options:\n" +
    "(A) blue ball\n" +
    "(B) brown ball\n" +
    "(C) orange ball\n" +
    "(D) white ball\n" +
    "(E) green ball",
  "Question: Sima tells the truth. Anton says Sima tells the truth. Conception says Anton tells the truth. Ka says Conception tells the truth. Vernell says Ka lies. Does Vernell tell the truth?",
  "I have a piano, a tuba, a cello, a trumpet, and a flute. How many musical instruments do I have?",
];
