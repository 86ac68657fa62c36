# What a service desk's Request Tracker has set up before a desk is joined to it. Run once on a copy of the package's
# database; writes the ids of everything as JSON to the file named by MADOGUCHI_IDS.
use strict;
use warnings;
use utf8;
use lib '/usr/share/request-tracker5/lib';
use JSON ();
use RT;

RT::LoadConfig();
RT::Init();
my $system = RT->SystemUser;

# What RT's setters answer: something true, or nothing and why.
sub done {
    my ($what, $id, $why) = @_;
    die "$what: $why\n" unless $id;
    return $id;
}

my $queue = RT::Queue->new($system);
done('queue', $queue->Create(Name => 'Desk', Description => 'サービスデスク'));

# The zone is what dates in a search are read in, whatever zone they name.
sub user {
    my ($name, $real) = @_;
    my $user = RT::User->new($system);
    done($name, $user->Create(
        Name => $name, RealName => $real, EmailAddress => "$name\@example.invalid",
        Privileged => 1, Password => "secret-of-$name", Timezone => 'Asia/Tokyo',
    ));
    my ($ok, $why, $token) = RT::AuthToken->new($system)->Create(Owner => $user->id, Description => 'tests');
    done("token of $name", $ok, $why);
    return ($user, $token);
}
my ($madoguchi, $token) = user('madoguchi', '窓口 電話');
# Signs in, and may nothing.
my ($stranger, $strangers_token) = user('stranger', '他 者');

for my $right (qw(
    SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket
    SeeCustomField ModifyCustomField
)) {
    done($right, $madoguchi->PrincipalObj->GrantRight(Right => $right, Object => $queue));
}

my %fields;
for my $name (qw(
    call_id caller called group agent outcome arrived_at wait_s talk_s hold_s wrap_up_s recording
    escalated_at escalation_answered_at escalated_to reported_at technical exclusions
)) {
    my $field = RT::CustomField->new($system);
    done($name, $field->Create(Name => $name, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket'));
    done($name, $field->AddToObject($queue));
    $fields{$name} = $field->id + 0;
}

# Nobody is written to: what RT does by itself at a new ticket is to send mail.
my $scrips = RT::Scrips->new($system);
$scrips->UnLimit;
while (my $scrip = $scrips->Next) { done('scrip', $scrip->SetDisabled(1)) }

open my $out, '>', $ENV{MADOGUCHI_IDS} or die "MADOGUCHI_IDS: $!\n";
print {$out} JSON::encode_json({
    token => $token, stranger_token => $strangers_token, user => $madoguchi->id + 0, queue => $queue->id + 0, fields => \%fields,
});
close $out or die "MADOGUCHI_IDS: $!\n";
