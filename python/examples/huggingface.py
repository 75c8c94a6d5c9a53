"""A transformers Trainer whose learning rate Twostep steers. `--usual`: the same with the Trainer's linear schedule instead."""

import sys

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

import twostep
from twostep.huggingface import TwostepCallback

STEPS = 3000
torch.set_num_threads(1)
torch.manual_seed(1)


# Data made here: sequences of a random grammar, in which the last two letters say how likely the next one is.
def sequences(count, length=16):
    letters = torch.randint(0, 8, (count, length))
    for place in range(2, length):
        chances = grammar[letters[:, place - 2], letters[:, place - 1]]
        letters[:, place] = torch.multinomial(chances, 1).squeeze(1)
    return [{"input_ids": row, "labels": row} for row in letters]


grammar = torch.softmax(2 * torch.randn(8, 8, 8), -1)
train, held_out, test = sequences(16384), sequences(512), sequences(2048)
size = GPT2Config(
    vocab_size=8, n_positions=16, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
)
usual = "--usual" in sys.argv
trainer = Trainer(
    GPT2LMHeadModel(size),
    TrainingArguments(
        output_dir="huggingface-example",
        max_steps=STEPS,
        per_device_train_batch_size=64,
        per_device_eval_batch_size=128,
        learning_rate=3e-3,
        warmup_steps=100,
        save_strategy="no",
        disable_tqdm=True,
        logging_steps=500,
        use_cpu=True,
    ),
    train_dataset=train,
    eval_dataset=held_out,
)
if not usual:
    run = twostep.init(project="huggingface")  # the budget is max_steps
    trainer.add_callback(TwostepCallback(run, trainer, examples=512))
trainer.train()
print(f"test loss {trainer.evaluate(test)['eval_loss']:.4f} after {trainer.state.global_step} steps")
